/**
 * What the surface knows of the sessions. A debug session through our own debug adapter connects by a process of its own,
 * so for the extension's connections it is another program's; for the user it is this window's.
 */
import type { Connection } from '../../session/protocol.ts';
import type { ConnectionState, ForeignSession, HeldConnection } from '../connections/state.ts';

export interface KnownSessions {
  readonly state: ConnectionState;
  /** This window's, by a command, a task or a debug session. */
  readonly held: readonly HeldConnection[];
  readonly foreign: readonly ForeignSession[];
}

/** `debugged`: the keys of this window's debug sessions, with the connections that are known. */
export function ofThisWindow(
  { state, held, foreign }: KnownSessions,
  debugged: ReadonlyMap<string, Connection | undefined>,
): KnownSessions {
  const isOurs = ({ key, state }: ForeignSession) => debugged.has(key) && state !== 'interrupted';
  const ours = foreign.filter(isOurs);
  const others = foreign.filter((session) => !isOurs(session));
  const all = [
    ...held,
    ...ours.flatMap(({ key, target, place, state }): HeldConnection[] => {
      const connection = debugged.get(key);
      return state === 'connected' && connection !== undefined ? [{ key, target, place, connection }] : [];
    }),
  ];
  return { state: stateOf(state, ours, all, others), held: all, foreign: others };
}

function stateOf(
  state: ConnectionState,
  ours: readonly ForeignSession[],
  held: readonly HeldConnection[],
  foreign: readonly ForeignSession[],
): ConnectionState {
  if (state.kind === 'connecting' || state.kind === 'undoing') return state;
  const busy = ours.find(({ key }) => !held.some((each) => each.key === key));
  if (busy?.state === 'undoing') return { kind: 'undoing', target: busy.target };
  if (busy !== undefined && busy.state !== 'ended') return { kind: 'connecting', target: busy.target, step: '' };
  return held.length + foreign.length === 0 ? { kind: 'none' } : { kind: 'connected', held, foreign };
}
