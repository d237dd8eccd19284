/**
 * Which 127.x address a destination gets: the same one every time, so that a program which remembers it is not surprised.
 */
import { createHash } from 'node:crypto';
import type { Destination } from './destinations.ts';

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
 * Gives each destination an address by the hash of its key; the next free one if that is in `taken` or given already.
 * The result does not depend on the order of `destinations`. `earlier` are the addresses that keys have had in this
 * session: a key keeps its own, also one that is taken (by our own listeners), and nobody else gets it, for programs
 * remember addresses and what vanished may come back.
 */
export function placeDestinations(
  destinations: readonly Destination[],
  taken: ReadonlySet<string>,
  earlier: ReadonlyMap<string, string> = new Map(),
): readonly { readonly destination: Destination; readonly address: string }[] {
  const used = new Set([...taken, ...earlier.values()]);
  const addresses = new Map<string, string>();
  for (const key of destinations.map((destination) => destination.key).sort()) {
    const address = earlier.get(key) ?? firstFree(hashOf(key), used);
    used.add(address);
    addresses.set(key, address);
  }
  return destinations.flatMap((destination) => {
    const address = addresses.get(destination.key);
    return address === undefined ? [] : [{ destination, address }];
  });
}

/**
 * Addresses of 198.18.0.0/15 (RFC 2544: for tests, so no computer has one), for what has none in the cluster and lives in
 * a private network, where 127.x is the program's own. As `placeDestinations`: stable by key, `earlier` kept.
 */
export function syntheticAddresses(
  destinations: readonly Destination[],
  earlier: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const used = new Set(earlier.values());
  const addresses = new Map<string, string>();
  for (const key of destinations.map((destination) => destination.key).sort()) {
    let address = earlier.get(key);
    for (let step = 0; address === undefined; step++) {
      const candidate = syntheticAt(hashOf(key) + step);
      if (!used.has(candidate)) address = candidate;
    }
    used.add(address);
    addresses.set(key, address);
  }
  return addresses;
}

function syntheticAt(index: number): string {
  const host = (index % 0x1fffd) + 1;
  return `198.${18 + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`;
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

function hashOf(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0) % size;
}
