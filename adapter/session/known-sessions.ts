/** The sessions of this computer. */
import { readdirSync } from 'node:fs';
import { sessionStatus } from './client.ts';
import { type Act, readJournal } from './journal.ts';
import type { Status } from './protocol.ts';
import { sessionFiles, sessionsFolder } from './state-folder.ts';

/** A session that lives, or has left something. */
export interface KnownSession {
  readonly key: string;
  readonly acts: readonly Act[];
  /** Undefined: its daemon does not live. */
  readonly status: Status | undefined;
}

/**
 * All of them, or those whose key `isMeant`. A journal that cannot be read counts as one without acts: it has left something all
 * the same, but nobody knows what; `restore` tells. Problem state-unwritable.
 */
export async function knownSessions(isMeant: (key: string) => boolean = () => true): Promise<readonly KnownSession[]> {
  const known = await Promise.all(
    readdirSync(sessionsFolder())
      .filter(isMeant)
      .map(async (key) => {
        const status = await sessionStatus(key).catch(() => undefined);
        return { key, status, acts: readable(key) };
      }),
  );
  return known.filter(({ status, acts }) => status !== undefined || acts.length > 0);
}

function readable(key: string): readonly Act[] {
  try {
    return readJournal(sessionFiles(key).journal);
  } catch {
    return [];
  }
}
