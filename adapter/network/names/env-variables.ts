/** The environment variables that say where destinations are, for programs that cannot use their names (mode `env`). */
import type { Destination } from './destinations.ts';
import type { ReachablePort } from './reachable-destination.ts';

export { mentionedNames } from './mentioned-names.ts';

/** A destination with the port at this computer for each of its ports. */
export interface LocallyReachable {
  readonly destination: Destination;
  /** The Service's first port first. */
  readonly ports: readonly ReachablePort[];
}

/** A variable, and the destination that it is about. */
export interface DestinationVariable {
  readonly name: string;
  readonly value: string;
  readonly label: string;
}

/**
 * The variables as kubelet writes them for a Service: names hold the Service's own port, values lead to 127.0.0.1 and the
 * local one. Destinations for which kubelet writes none get them by their short name: PRICES_OTHER_SERVICE_HOST for
 * prices.other, DB_0_DB_SERVICE_HOST for db-0.db. If two have the same variable, a Service of the session's namespace has it,
 * else the first. The local address is always 127.0.0.1.
 */
export function destinationVariables(reachable: readonly LocallyReachable[]): readonly DestinationVariable[] {
  const named = reachable.flatMap((one) => one.destination.shortNames.map((shortName) => ({ shortName, ...one })));
  const isOwn = ({ shortName }: (typeof named)[number]) => !shortName.includes('.');
  const variables = new Map<string, DestinationVariable>();
  const taken = new Set<string>();
  for (const one of [...named.filter(isOwn), ...named.filter((each) => !isOwn(each))]) {
    const prefix = variableName(one.shortName);
    // Half of the variables of one and half of another would lead to a port that neither has.
    if (taken.has(prefix)) continue;
    taken.add(prefix);
    for (const [name, value] of variablesOf(prefix, one)) {
      if (!variables.has(name)) variables.set(name, { name, value, label: one.destination.label });
    }
  }
  return [...variables.values()];
}

function variablesOf(
  prefix: string,
  { destination, ports }: LocallyReachable,
): readonly (readonly [name: string, value: string])[] {
  const [first] = ports;
  if (first === undefined) return [];
  const url = (each: ReachablePort) => `${protocolOf(each).toLowerCase()}://${host}:${each.localPort}`;
  return [
    [`${prefix}_SERVICE_HOST`, host],
    [`${prefix}_SERVICE_PORT`, String(first.localPort)],
    ...ports.flatMap(({ port, localPort, protocol }) => {
      const name = (protocol === 'UDP' ? destination.udp : destination)?.portNames[port];
      return name === undefined ? [] : ([[`${prefix}_SERVICE_PORT_${variableName(name)}`, String(localPort)]] as const);
    }),
    [`${prefix}_PORT`, url(first)],
    ...ports.flatMap((each) => {
      const { port, localPort } = each;
      const protocol = protocolOf(each);
      const portPrefix = `${prefix}_PORT_${port}_${protocol}`;
      return [
        [portPrefix, url(each)],
        [`${portPrefix}_PROTO`, protocol.toLowerCase()],
        [`${portPrefix}_PORT`, String(localPort)],
        [`${portPrefix}_ADDR`, host],
      ] as const;
    }),
  ];
}

const host = '127.0.0.1';

function protocolOf({ protocol }: ReachablePort): 'TCP' | 'UDP' {
  return protocol ?? 'TCP';
}

function variableName(name: string): string {
  return name.replaceAll(/[-.]/g, '_').toUpperCase();
}
