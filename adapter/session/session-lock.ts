/** Whoever holds a session's lock is the only one that may write its journal or undo it. */
import { lockFile } from '../network/hosts/file-lock.ts';

/** Takes the lock at this path, or returns undefined if a living process has it. */
export async function tryLockSession(path: string): Promise<AsyncDisposable | undefined> {
  const impatient = AbortSignal.abort();
  try {
    return await lockFile(path, impatient);
  } catch (error) {
    if (error === impatient.reason) return undefined;
    throw error;
  }
}
