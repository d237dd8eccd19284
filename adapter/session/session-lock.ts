/** Whoever holds a session's lock is the only one that may write its journal or undo it. */

import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isLocked, lockFile } from '../network/hosts/file-lock.ts';
import { stateProblem } from './state-folder.ts';

export { isLocked };

/** Takes the lock at this path, or returns undefined if a living process has it. Problem state-unwritable. */
export async function tryLockSession(path: string): Promise<AsyncDisposable | undefined> {
  const impatient = AbortSignal.abort();
  try {
    return await lockFile(path, impatient, 0o600);
  } catch (error) {
    if (error === impatient.reason) return undefined;
    throw stateProblem(dirname(path), error);
  }
}

const pollMilliseconds = 100;

/** Resolves when no living process has the lock. */
export async function awaitUnlocked(path: string, signal: AbortSignal): Promise<void> {
  while (await isLocked(path)) await delay(pollMilliseconds, undefined, { signal });
}
