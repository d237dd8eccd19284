/** How `status` shows what a session holds on this computer: pure text, for a terminal of some width. */
import { type DestinationPort, portText } from '../network/names/destinations.ts';
import { table, wrap } from './text-layout.ts';

/** The names and ports of one session on this computer. */
export interface NetworkView {
  readonly mode: string;
  /** Why this mode, in a sentence. */
  readonly reason: string;
  readonly names: readonly NameView[];
  readonly ports: readonly {
    readonly containerPort: number;
    readonly localPort: number;
    /** Who listens there now; undefined if nobody does. */
    readonly listening?: string;
  }[];
  readonly privileged?: { readonly pid: number; readonly user: string };
  readonly hostsFile?: string;
  /** Words before a command that make it see the names; empty or missing where every program does. */
  readonly prefix?: readonly string[];
}

/** The names of one destination in the cluster. */
export interface NameView {
  readonly names: readonly string[];
  readonly address: string;
  /** Its ports; with another number here where that differs. */
  readonly ports: readonly (number | (DestinationPort & { readonly localPort: number }))[];
  readonly leadsTo: string;
  readonly state: 'open' | 'left out';
  /** Why it is left out. */
  readonly problem?: string;
}

export interface Layout {
  /** Columns of the terminal; Infinity where it is none. */
  readonly width: number;
  /** Show every name, however many there are. */
  readonly all: boolean;
}

/** So many names are shown without `all`. */
const shownNames = 20;

/** The lines that show it. */
export function describeNetwork(view: NetworkView, { width, all }: Layout): readonly string[] {
  const text = (words: string) => wrap(words, width, '  ');
  const shown = all ? view.names : view.names.slice(0, shownNames);
  const hidden = view.names.length - shown.length;
  const leftOut = view.names.slice(shown.length).filter(({ state }) => state === 'left out').length;
  return [
    `network mode ${view.mode}`,
    ...wrap(view.reason, width - 2).map((line) => `  ${line}`),
    ...(view.privileged ? text(`privileged helper: pid ${view.privileged.pid}, user ${view.privileged.user}`) : []),
    ...(view.hostsFile === undefined ? [] : text(`hosts file: ${view.hostsFile} has its block`)),
    ...(view.prefix?.length ? text(`programs see the names when started by: ${view.prefix.join(' ')} COMMAND`) : []),
    ...view.ports.flatMap(({ containerPort, localPort, listening }) =>
      text(`port ${containerPort} → 127.0.0.1:${localPort}: ${listening ?? 'nobody'} listens`),
    ),
    ...(shown.length === 0 ? ['no names'] : nameTable(shown, width)),
    ...(hidden > 0
      ? text(`and ${hidden} more${leftOut > 0 ? `, ${leftOut} of them left out` : ''}; --all shows them`)
      : []),
  ];
}

/** All names of one destination, short: "prices[.shop[.svc]]" is prices, prices.shop and prices.shop.svc. */
export function shortNames(names: readonly string[]): string {
  const groups: string[][] = [];
  for (const name of names) {
    const group = groups.find((some) => name.startsWith(`${some.at(-1)}.`));
    if (group) group.push(name);
    else groups.push([name]);
  }
  return groups
    .map((group) => {
      const parts = group.map((name, index) => name.slice(index === 0 ? 0 : group[index - 1]?.length));
      return parts.join('[') + ']'.repeat(parts.length - 1);
    })
    .join(', ');
}

function nameTable(names: readonly NameView[], width: number): readonly string[] {
  const rows = names.map(({ names: all, address, ports, leadsTo, state }) => [
    shortNames(all),
    state === 'open' ? address : '-',
    ports.map(describePort).join(', '),
    leadsTo,
    state,
  ]);
  const [header = '', ...lines] = table([['NAMES', 'ADDRESS', 'PORTS', 'LEADS TO', 'STATE'], ...rows], width);
  return [
    header,
    ...lines.flatMap((line, index) => {
      const problem = names[index]?.problem;
      return problem === undefined ? [line] : [line, ...wrap(problem, width - 2).map((text) => `  ${text}`)];
    }),
  ];
}

/** `53/udp`, `80 at 20001`: the port, and where it is here if that is elsewhere. */
export function describePort(port: NameView['ports'][number]): string {
  if (typeof port === 'number') return `${port}`;
  return port.port === port.localPort ? portText(port) : `${portText(port)} at ${port.localPort}`;
}
