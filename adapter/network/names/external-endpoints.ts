/** Names outside the cluster that only its pods can reach, such as a database: what they lead to, and how they are written. */
import { isIPv4, isIPv6 } from 'node:net';
import { Problem } from '../../problem.ts';
import type { Destination } from './destinations.ts';
import { isHoldable } from './pod-names.ts';

/** A name or IPv4 address, and a port there. */
export interface ExternalEndpoint {
  /** Lower case, without a dot at its end. */
  readonly host: string;
  readonly port: number;
  /** Undefined: TCP. */
  readonly protocol?: 'UDP' | undefined;
}

/** `host:port` or `host:port/udp` as the user writes it. Problem bad-value says what is wrong with it. */
export function parseExternalEndpoint(text: string): ExternalEndpoint {
  const written = text.trim();
  const wrong = (why: string) =>
    new Problem({
      code: 'bad-value',
      what: `"${text}" is no external endpoint.`,
      why,
      remedy: 'Write the name and the port, such as "db.example.net:5432".',
    });
  if (written.includes('://')) throw wrong('It begins with a protocol, which has no meaning here.');
  if (written.startsWith('[') || isIPv6(written)) throw wrong('IPv6 addresses cannot be led to the cluster.');
  const colon = written.lastIndexOf(':');
  if (colon < 0) throw wrong('The port is missing.');
  const host = plainName(written.slice(0, colon));
  const [digits = '', protocol, ...others] = written.slice(colon + 1).split('/');
  if (others.length > 0 || (protocol !== undefined && !/^(tcp|udp)$/i.test(protocol))) {
    throw wrong(`"/${[protocol, ...others].join('/')}" is no protocol: behind the port there may be "/udp" or "/tcp".`);
  }
  if (host === '') throw wrong('The name is missing.');
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535) throw wrong(`"${digits}" is no port: it is a whole number from 1 to 65535.`);
  if (isIPv6(host)) throw wrong('IPv6 addresses cannot be led to the cluster.');
  if (isIPv4(host)) {
    if (host.startsWith('127.') || host === '0.0.0.0') throw wrong(`${host} always means the computer itself.`);
  } else if (!isHoldable(host)) throw wrong(`"${host}" is no name that name resolution on this computer takes.`);
  return { host, port, ...(protocol?.toLowerCase() === 'udp' && { protocol: 'UDP' as const }) };
}

/**
 * The destinations of these endpoints, the ports of one host together, and what cannot be offered, in full sentences.
 * @param others what the cluster itself has; its names go first
 */
export function externalDestinations(
  endpoints: readonly ExternalEndpoint[],
  others: readonly Destination[] = [],
): { readonly destinations: readonly Destination[]; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const owners = new Map(others.flatMap(({ hostNames, label }) => hostNames.map((name) => [name, label] as const)));
  const byHost = Map.groupBy(endpoints, ({ host }) => plainName(host));
  const destinations = [...byHost].flatMap(([host, all]) => {
    const owner = owners.get(host);
    if (owner !== undefined) {
      notes.push(`The external endpoint ${host} is left out: in the cluster that name means Service ${owner}.`);
      return [];
    }
    const ports = portsAmong(all);
    if (isIPv4(host)) return [{ ...addressAt(host), ...ports }];
    if (isHoldable(host)) return [{ ...nameAt(host), ...ports }];
    notes.push(`The external endpoint ${host} is left out: name resolution on this computer does not take that name.`);
    return [];
  });
  return { destinations, notes };
}

/** What all keys of external endpoints begin with; no Service's key does. */
const keyPrefix = 'external:';

/** Whether a destination is outside the cluster, named by the user. */
export function isExternal({ key }: Pick<Destination, 'key'>): boolean {
  return key.startsWith(keyPrefix);
}

/** Whether it is called by an address alone, which only a private network can lead elsewhere. */
export function isAddressOnly(destination: Pick<Destination, 'key' | 'hostNames'>): boolean {
  return isExternal(destination) && destination.hostNames.length === 0;
}

/** Why it is left out where only names lead to the cluster. */
export function addressLeftOut({ label }: Destination, mode: 'hosts' | 'env'): Problem {
  return new Problem({
    code: 'bad-value',
    what: `The external endpoint ${label} is an address, and in mode ${mode} only names can be led to the cluster.`,
    why: '',
    remedy: 'Use "network": "namespace", or call it by a name.',
  });
}

function portsAmong(all: readonly ExternalEndpoint[]): Pick<Destination, 'ports' | 'portNames' | 'udp'> {
  const portsOf = (wanted: 'UDP' | undefined) => [
    ...new Set(all.flatMap(({ port, protocol }) => (protocol === wanted ? [port] : []))),
  ];
  const udp = portsOf('UDP');
  return {
    ports: portsOf(undefined),
    portNames: {},
    ...(udp.length > 0 && { udp: { ports: udp, portNames: {}, isFirst: all[0]?.protocol === 'UDP' } }),
  };
}

function nameAt(host: string): Omit<Destination, 'ports' | 'portNames'> {
  const names = { hostNames: [host], shortNames: [host] };
  // A whole name: the search list of the pod must not be tried first.
  return {
    key: `${keyPrefix}${host}`,
    label: host,
    namespace: '',
    ...names,
    dial: { host: `${host}.` },
  };
}

function addressAt(host: string): Omit<Destination, 'ports' | 'portNames'> {
  const names = { hostNames: [], shortNames: [] };
  return {
    key: `${keyPrefix}${host}`,
    label: host,
    namespace: '',
    ...names,
    clusterIP: host,
    dial: { host },
  };
}

function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
