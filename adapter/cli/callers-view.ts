/** How `status` shows who calls from the cluster: pure text, for a terminal of some width. */
import type { CallersStatus } from '../session/protocol.ts';
import { table } from './text-layout.ts';

/** The lines that show it. */
export function describeCallers({ open, newest }: CallersStatus, width: number): readonly string[] {
  if (open === 0) return ['no open connection from the cluster'];
  const rows = newest.map(({ source, name, pod, containerPort, seenAs, since }) => [
    name ?? '-',
    endpoint(source),
    `${containerPort} of ${pod}`,
    endpoint(seenAs),
    new Date(since).toLocaleTimeString('en-GB'),
  ]);
  const hidden = open - newest.length;
  return [
    open === 1 ? '1 open connection from the cluster' : `${open} open connections from the cluster`,
    ...table([['CALLER', 'ADDRESS', 'PORT', 'SEEN BY THE PROGRAM AS', 'SINCE'], ...rows], width),
    ...(hidden > 0 ? [`and ${hidden} older ones`] : []),
  ];
}

function endpoint({ address, port }: CallersStatus['newest'][number]['source']): string {
  if (address === '') return 'unknown';
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
