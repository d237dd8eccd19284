/** `resourceFieldRef`: limits and requests as text (kubelet: pkg/api/v1/resource, kubelet_resources.go). */
import { type Container, findContainer, type Pod, type ResourceReference } from './pod.ts';
import { parseQuantity } from './quantity.ts';

/** What a node has for its pods: `{ cpu: "4", memory: "8123456Ki" }`. */
export type Allocatable = Readonly<Record<string, string>>;

/**
 * The value, or why there is none: `needs-node` if it is the node's allocatable amount, which was not given;
 * `unknown` if the reference names no resource or container that there is.
 */
export type ResourceValue = { readonly value: string } | 'needs-node' | 'unknown';

const overcommitted = ['cpu', 'memory', 'ephemeral-storage'];

/**
 * The value that kubelet gives: the quantity in units of the divisor, rounded up. A limit that neither container nor
 * pod sets is the node's allocatable amount; a request that is not set is 0.
 */
export function resourceValue(
  pod: Pod,
  container: Container,
  reference: ResourceReference,
  allocatable: Allocatable | undefined,
): ResourceValue {
  const named = reference.containerName === '' ? container : findContainer(pod, reference.containerName);
  const [, kind, resource] = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(
    reference.resource,
  ) ?? [undefined, undefined, undefined];
  if (named === undefined || resource === undefined) return 'unknown';
  const scale = resource === 'cpu' ? 3 : 0;
  let amount = parseQuantity(
    (kind === 'limits' ? named.resources.limits : named.resources.requests)[resource] ?? '0',
    scale,
  );
  if (amount === 0n && kind === 'limits' && overcommitted.includes(resource) && isDefaulted(pod, reference)) {
    const fallback = pod.spec.resources.limits[resource] ?? allocatable?.[resource];
    if (fallback === undefined && allocatable === undefined) return 'needs-node';
    amount = parseQuantity(fallback ?? '0', scale);
  }
  const divisor = parseQuantity(reference.divisor ?? '1', scale);
  if (amount === undefined || divisor === undefined) return 'unknown';
  return { value: String(divide(amount, divisor === 0n ? 10n ** BigInt(scale) : divisor)) };
}

/** Kubelet fills in missing limits of the container itself and of ordinary containers, not of init containers called by name. */
function isDefaulted(pod: Pod, { containerName }: ResourceReference): boolean {
  return containerName === '' || pod.spec.containers.some(({ name }) => name === containerName);
}

/** Rounded up, in floating point like kubelet's own division. */
function divide(amount: bigint, divisor: bigint): bigint {
  return BigInt(Math.ceil(Number(amount) / Number(divisor)));
}
