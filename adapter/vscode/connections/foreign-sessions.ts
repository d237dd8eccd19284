/** The sessions of this computer that this window does not hold. */
import { type KnownSession, knownSessions } from '../../session/client/known-sessions.ts';
import type { ForeignSession } from './state.ts';

/** Those that live, or have left something, sorted by target. Problem state-unwritable. */
export async function foreignSessions(ours: ReadonlySet<string>): Promise<readonly ForeignSession[]> {
  const known = await knownSessions((key) => !ours.has(key));
  return known
    .filter(({ status }) => status?.state !== 'ended')
    .map(foreignSession)
    .sort((a, b) => (`${a.target} ${a.key}` < `${b.target} ${b.key}` ? -1 : 1));
}

function foreignSession({ key, acts, status, left }: KnownSession): ForeignSession {
  const session = acts.find((act) => act.act === 'session');
  return {
    key,
    target: session?.target ?? 'a session',
    place: session === undefined ? '' : `${session.namespace} of ${session.context}`,
    state: status?.state ?? stateOf(left),
  };
}

/** One that does not answer lives all the same, and nobody else may undo it. */
function stateOf(left: KnownSession['left']): ForeignSession['state'] {
  switch (left) {
    case 'silent':
      return 'connected';
    case 'being-undone':
      return 'undoing';
    case 'interrupted':
    case undefined:
      return 'interrupted';
  }
}
