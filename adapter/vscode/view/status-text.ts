/** What the status bar says of the sessions: words and an icon, never a colour alone. */
import type { Connection } from '../../session/protocol.ts';
import type { ConnectionState, ForeignSession, HeldConnection } from '../connections/state.ts';
import { inPlace, listOf, namespaceOf, shortName } from './session-words.ts';

/** One line of the tooltip: what it is about, and what is so. */
interface StatusLine {
  readonly about: string;
  readonly text: string;
}

export interface StatusText {
  /** With the icon as VS Code writes it. */
  readonly text: string;
  /** What a screen reader says. */
  readonly spoken: string;
  readonly lines: readonly StatusLine[];
}

const networkModes: Readonly<Record<Connection['network']['mode'], string>> = {
  hosts: 'hosts: names of the cluster work in every program here',
  namespace: 'namespace: names of the cluster work in the debugged program',
  env: 'env: only variables lead to the cluster',
};

/** The status for a state of the sessions. */
export function statusText(state: ConnectionState): StatusText {
  switch (state.kind) {
    case 'none':
      return notConnected([]);
    case 'connecting': {
      const name = shortName(state.target);
      return status('sync~spin', `connecting to ${name}…`, `connecting to ${name}`, [
        { about: 'Connecting to', text: state.target },
        ...(state.step === '' ? [] : [{ about: 'Now', text: state.step }]),
      ]);
    }
    case 'undoing': {
      const name = shortName(state.target);
      return status('discard', `undoing ${name}…`, `undoing ${name}`, [{ about: 'Undoing', text: state.target }]);
    }
    case 'connected':
      return connected(state.held, state.foreign);
  }
}

function connected(held: readonly HeldConnection[], foreign: readonly ForeignSession[]): StatusText {
  const elsewhere = foreign.map(foreignLine);
  const [first] = held;
  if (first !== undefined) {
    const names = listOf(held.map(({ target }) => target));
    const places = [...new Set(held.map(({ place }) => namespaceOf(place)))].join(', ');
    const lines = [...held.flatMap(heldLines), ...elsewhere];
    return status('debug-alt', `${names} (${places})`, `connected, ${names} in ${places}`, lines);
  }
  const interrupted = foreign.filter(({ state }) => state === 'interrupted');
  const undoing = foreign.filter(({ state }) => state === 'undoing');
  if (interrupted.length === 0 && undoing.length > 0) {
    const names = listOf(undoing.map(({ target }) => target));
    return status('discard', `undoing ${names}…`, `undoing ${names}`, elsewhere);
  }
  if (interrupted.length === 0) return notConnected(elsewhere);
  const words = `${listOf(interrupted.map(({ target }) => target))} interrupted`;
  return status('warning', words, words, elsewhere);
}

function notConnected(elsewhere: readonly StatusLine[]): StatusText {
  return status('debug-disconnect', 'not connected', 'not connected', elsewhere);
}

function status(icon: string, words: string, spoken: string, lines: readonly StatusLine[]): StatusText {
  return { text: `$(${icon}) Kubernetes: ${words}`, spoken: `Kubernetes Local: ${spoken}`, lines };
}

function heldLines({ connection, place }: HeldConnection): readonly StatusLine[] {
  const { workload, pods, ports, network } = connection;
  return [
    { about: 'Workload', text: `${workload} in ${place}` },
    ...(pods.length === 0 ? [] : [{ about: pods.length === 1 ? 'Pod' : 'Pods', text: pods.join(', ') }]),
    ...ports.map(({ containerPort, localPort }) => ({
      about: `Port ${containerPort}`,
      text: `requests reach 127.0.0.1:${localPort}`,
    })),
    { about: 'Network', text: networkModes[network.mode] },
  ];
}

function foreignLine({ target, place, state }: ForeignSession): StatusLine {
  return state === 'interrupted'
    ? { about: 'Interrupted', text: `${inPlace(target, place)}. Restore undoes what it left.` }
    : { about: 'Another program', text: `${inPlace(target, place)}: ${state}` };
}
