/** The sessions of this computer. */
import { readdirSync } from 'node:fs';
import { Problem } from '../../problem.ts';
import { type Act, readJournal } from '../journal/journal.ts';
import type { Status } from '../protocol.ts';
import { isLocked } from '../session-lock.ts';
import { sessionFiles, sessionsFolder } from '../state-folder.ts';
import { type FailedReplay, lastFailure } from '../undo/replay-outcome.ts';
import { sessionStatus } from './client.ts';

/** A session that lives, or has left something. */
export interface KnownSession {
  readonly key: string;
  readonly acts: readonly Act[];
  /** What its daemon says; undefined if none lives, or it does not answer. */
  readonly status: Status | undefined;
  /**
   * Without a status: its daemon lives, but does not answer, or is of another version; somebody undoes it at this moment; or nobody does.
   * Undefined with a status.
   */
  readonly left?: 'silent' | 'being-undone' | 'interrupted';
  /** Its journal cannot be read: it has left something, but nobody knows what. */
  readonly unreadable?: Problem;
  /** The last undo by a later command failed. */
  readonly failed?: FailedReplay;
}

/** All of them, or those whose key `isMeant`. Problem state-unwritable. */
export async function knownSessions(isMeant: (key: string) => boolean = () => true): Promise<readonly KnownSession[]> {
  const known = await Promise.all(readdirSync(sessionsFolder()).filter(isMeant).map(knownSession));
  return known.filter(
    ({ status, acts, left, unreadable }) =>
      status !== undefined || acts.length > 0 || left === 'silent' || unreadable !== undefined,
  );
}

async function knownSession(key: string): Promise<KnownSession> {
  const files = sessionFiles(key);
  const found = readable(files.journal);
  try {
    const status = await sessionStatus(key);
    if (status !== undefined) return { key, status, ...found };
    const left = (await isLocked(files.lock)) ? 'being-undone' : 'interrupted';
    const failed = lastFailure(files);
    return { key, status, ...found, left, ...(failed !== undefined && { failed }) };
  } catch {
    return { key, status: undefined, ...found, left: 'silent' };
  }
}

function readable(path: string): Pick<KnownSession, 'acts' | 'unreadable'> {
  try {
    return { acts: readJournal(path) };
  } catch (error) {
    return { acts: [], unreadable: Problem.from(error) };
  }
}
