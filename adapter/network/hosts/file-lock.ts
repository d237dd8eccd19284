/**
 * A lock between processes: a file that names its holder. Node has no flock(2), and a lock file outlives a killed holder,
 * so each names a process by pid and start time, and one whose holder is gone is broken.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { isAlive, ownIdentity } from '../../processes/identity.ts';

const holderSchema = z.object({ pid: z.number(), start: z.string(), ticket: z.string() });
type Holder = z.infer<typeof holderSchema>;

const pollMilliseconds = 15;

/** Takes the lock, waiting for a living holder until `signal` aborts (then its reason is thrown). Errors of the file system as they are. */
export async function lockFile(path: string, signal: AbortSignal): Promise<AsyncDisposable> {
  const holder: Holder = { ...ownIdentity(), ticket: randomUUID() };
  while (!(await create(path, holder))) {
    if (await breakStale(path, holder)) continue;
    signal.throwIfAborted();
    // The signal's own reason is thrown above; that of delay would hide it.
    await delay(pollMilliseconds, undefined, { signal }).catch(() => {});
  }
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** Creates the lock with its content in one step (link), so that nobody reads a half-written one. */
async function create(path: string, holder: Holder): Promise<boolean> {
  const draft = `${path}.${holder.ticket}`;
  await writeFile(draft, JSON.stringify(holder), { flag: 'wx', mode: 0o644 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Removes the lock of a dead holder; tells whether it did. A second lock guards this: without it two processes which saw
 * the same dead holder could remove first the dead one's lock and then the living one's that took its place.
 */
async function breakStale(path: string, self: Holder): Promise<boolean> {
  if (await isHeld(path)) return false;
  const guard = `${path}.break`;
  if (!(await create(guard, self))) {
    // Its holder died within these few lines; both dying at once is left to the next round.
    if (!(await isHeld(guard))) await rm(guard, { force: true });
    return false;
  }
  try {
    if (await isHeld(path)) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

/** A file that is gone counts as not held; one that cannot be understood as dead, for locks are created whole. */
async function isHeld(path: string): Promise<boolean> {
  try {
    const holder = holderSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return holder.success && isAlive(holder.data);
  } catch (error) {
    if (error instanceof SyntaxError || isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
