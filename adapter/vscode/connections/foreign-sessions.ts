/** The sessions of this computer that this window does not hold. */
import { readdirSync } from 'node:fs';
import { sessionStatus } from '../../session/client.ts';
import { type Act, readJournal } from '../../session/journal.ts';
import { sessionFiles, sessionsFolder } from '../../session/state-folder.ts';
import type { ForeignSession } from './state.ts';

/** Those that live, or have left something, sorted by target. Problem state-unwritable. */
export async function foreignSessions(ours: ReadonlySet<string>): Promise<readonly ForeignSession[]> {
  const keys = readdirSync(sessionsFolder()).filter((key) => !ours.has(key));
  const found = await Promise.all(keys.map(foreignSession));
  return found
    .filter((session) => session !== undefined)
    .sort((a, b) => (`${a.target} ${a.key}` < `${b.target} ${b.key}` ? -1 : 1));
}

async function foreignSession(key: string): Promise<ForeignSession | undefined> {
  const status = await sessionStatus(key).catch(() => undefined);
  const acts = readable(key);
  if (status?.state === 'ended' || (status === undefined && acts.length === 0)) return undefined;
  const session = acts.find((act) => act.act === 'session');
  return {
    key,
    target: session?.target ?? 'a session',
    place: session === undefined ? '' : `${session.namespace} of ${session.context}`,
    state: status?.state ?? 'interrupted',
  };
}

/** A journal that cannot be read has left something all the same, but nobody knows what: `restore` tells. */
function readable(key: string): readonly Act[] {
  try {
    return readJournal(sessionFiles(key).journal);
  } catch {
    return [];
  }
}
