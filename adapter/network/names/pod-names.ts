/** How a pod may call something in the cluster: its full name, shortened by the search list of the pod's resolver. */

/** The name of a Service in the cluster's DNS, without the dot at its end. */
export function fullNameOf(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  clusterDomain: string,
): string {
  return `${name}.${namespace}.svc.${clusterDomain}`;
}

/**
 * The forms of a full name that a pod of this namespace may use, the shortest first. `rank` is the place in the search list
 * that completes the form: of two names with the same form the one with the lower rank is found.
 */
export function relativeNames(
  full: string,
  namespace: string,
  clusterDomain: string,
): readonly { readonly name: string; readonly rank: number }[] {
  const search = [`.${namespace}.svc.${clusterDomain}`, `.svc.${clusterDomain}`, `.${clusterDomain}`, ''];
  return search.flatMap((suffix, rank) =>
    full.endsWith(suffix) && full.length > suffix.length
      ? [{ name: full.slice(0, full.length - suffix.length), rank }]
      : [],
  );
}

/**
 * Whether hosts files can hold the name and resolvers then ask them for it. `localhost` means this computer everywhere, and
 * what ends in a number is read as an IPv4 address (inet_aton, WHATWG URL).
 */
export function isHoldable(name: string): boolean {
  const labels = name.split('.');
  const last = labels.at(-1) ?? '';
  return (
    name.length <= 253 &&
    labels.every((label) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(label)) &&
    last !== 'localhost' &&
    !/^(\d+|0x[0-9a-f]*)$/.test(last)
  );
}
