/** The sessions of this computer that this window does not hold. */
import { type KnownSession, knownSessions } from '../../session/known-sessions.ts';
import type { ForeignSession } from './state.ts';

/** Those that live, or have left something, sorted by target. Problem state-unwritable. */
export async function foreignSessions(ours: ReadonlySet<string>): Promise<readonly ForeignSession[]> {
  const known = await knownSessions((key) => !ours.has(key));
  return known
    .filter(({ status }) => status?.state !== 'ended')
    .map(foreignSession)
    .sort((a, b) => (`${a.target} ${a.key}` < `${b.target} ${b.key}` ? -1 : 1));
}

function foreignSession({ key, acts, status }: KnownSession): ForeignSession {
  const session = acts.find((act) => act.act === 'session');
  return {
    key,
    target: session?.target ?? 'a session',
    place: session === undefined ? '' : `${session.namespace} of ${session.context}`,
    state: status?.state ?? 'interrupted',
  };
}
