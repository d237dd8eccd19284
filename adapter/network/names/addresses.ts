/**
 * Which 127.x address a Service gets: the same one every time, so that a program which remembers it is not surprised.
 */
import { createHash } from 'node:crypto';

/** A Service that programs here may call by name. */
export interface NamedService {
  readonly name: string;
  readonly namespace: string;
  /** TCP ports. */
  readonly ports: readonly number[];
}

/** A Service with the address that stands for it on this computer and the names that lead there. */
export interface AllocatedService extends NamedService {
  readonly address: string;
  readonly hostNames: readonly string[];
}

/**
 * 127.64.0.0/10, without the first and last address of each /24. Far from what others use: 127.0.0.1, 127.0.1.1 (Debian's own
 * name), 127.0.0.53 (systemd-resolved), 127.0.0.11 (Docker), 127.1.x (Bridge to Kubernetes, kubefwd).
 */
const range = { first: 64, nets: 64 * 256, hosts: 254 };
const size = range.nets * range.hosts;

/** Whether an address is one of those that stand for Services, of whichever session. */
export function isServiceAddress(address: string): boolean {
  const [a, b] = address.split('.').map(Number);
  return a === 127 && b !== undefined && b >= range.first && b < range.first + range.nets / 256;
}

/**
 * Gives each service an address by the hash of its name and namespace; the next free one if that is in `taken` or given already.
 * The result does not depend on the order of `services`. The bare name is only for services of the session's own namespace, as in a pod.
 */
export function allocateAddresses(
  services: readonly NamedService[],
  taken: ReadonlySet<string>,
  sessionNamespace: string,
  clusterDomain = 'cluster.local',
): readonly AllocatedService[] {
  const used = new Set(taken);
  const addresses = new Map<string, string>();
  for (const key of services.map(keyOf).sort()) {
    if (addresses.has(key)) continue;
    const address = firstFree(hashOf(key), used);
    used.add(address);
    addresses.set(key, address);
  }
  return services.map((service) => ({
    ...service,
    address: addresses.get(keyOf(service)) ?? addressAt(hashOf(keyOf(service))),
    hostNames: hostNames(service, sessionNamespace, clusterDomain),
  }));
}

/** The next address after this one that is not in `taken`. */
export function nextAddress(address: string, taken: ReadonlySet<string>): string {
  const [, b = 0, c = 0, d = 1] = address.split('.').map(Number);
  return firstFree(((b - range.first) * 256 + c) * range.hosts + d, taken);
}

function firstFree(from: number, taken: ReadonlySet<string>): string {
  for (let step = 0; step < size; step++) {
    const address = addressAt((from + step) % size);
    if (!taken.has(address)) return address;
  }
  throw new RangeError('no address is left in 127.64.0.0/10');
}

function addressAt(index: number): string {
  const net = Math.floor(index / range.hosts);
  return `127.${range.first + Math.floor(net / 256)}.${net % 256}.${(index % range.hosts) + 1}`;
}

function keyOf(service: NamedService): string {
  return `${service.namespace}/${service.name}`;
}

function hashOf(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0) % size;
}

function hostNames(service: NamedService, sessionNamespace: string, clusterDomain: string): readonly string[] {
  const qualified = `${service.name}.${service.namespace}`;
  return [
    ...(service.namespace === sessionNamespace ? [service.name] : []),
    qualified,
    `${qualified}.svc`,
    `${qualified}.svc.${clusterDomain}`,
  ];
}
