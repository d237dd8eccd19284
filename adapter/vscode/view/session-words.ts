/** How a session is called where there is little room. */

/** `cart` for `service/cart`. */
export function shortName(target: string): string {
  return target.slice(target.lastIndexOf('/') + 1);
}

/** The namespace of a place such as `shop of kind-e2e`. */
export function namespaceOf(place: string): string {
  return place.split(' of ')[0] ?? place;
}

/** `cart`, `cart and web`, or `3 sessions`. */
export function listOf(targets: readonly string[]): string {
  return targets.length > 2 ? `${targets.length} sessions` : targets.map(shortName).join(' and ');
}

/** `cart in shop of kind-e2e`; the target alone where the place is not known. */
export function inPlace(target: string, place: string): string {
  return place === '' ? target : `${target} in ${place}`;
}
