/**
 * A lock between processes: a file that names its holder. Node has no flock(2), and a lock file outlives a killed holder,
 * so each names a process by pid and start time, and one whose holder is gone is removed.
 *
 * Removing is the delicate part: whoever looked at a dead holder's lock may remove the one of a living holder that took its
 * place meanwhile. So a lock is only removed by its holder, or by whoever holds the right to remove this very one: a
 * second file, named after the first one's content, which never comes again.
 */
import { createHash, randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { isAlive, ownIdentity, type ProcessIdentity } from '../../processes/identity.ts';

const holderSchema = z.object({ pid: z.number(), start: z.string() });

/** A lock as it was seen: which one it is, and whether its holder lives. */
interface Seen {
  readonly mark: string;
  readonly alive: boolean;
}

const pollMilliseconds = 15;

/** Whoever takes a lock, and the mode of the files that it makes for that. */
interface Taker extends ProcessIdentity {
  readonly mode: number;
}

/**
 * Takes the lock, waiting for a living holder until `signal` aborts (then its reason is thrown). Errors of the file system as
 * they are. With the usual `mode` all users can see who has it.
 */
export async function lockFile(path: string, signal: AbortSignal, mode = 0o644): Promise<AsyncDisposable> {
  const self: Taker = { ...ownIdentity(), mode };
  for (;;) {
    // Looks first: attempts are changes of the folder, with which whoever waits should not keep it busy.
    const seen = await look(path);
    if (seen === undefined) {
      if (await create(path, self)) break;
    } else if (!seen.alive && (await removeDead(path, seen.mark, path, self))) continue;
    signal.throwIfAborted();
    // The signal's own reason is thrown above; that of delay would hide it.
    await delay(pollMilliseconds, undefined, { signal }).catch(() => {});
  }
  await sweep(path);
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** Whether a living process has the lock at this moment. Takes nothing, and changes nothing. */
export async function isLocked(path: string): Promise<boolean> {
  return (await look(path))?.alive ?? false;
}

/** Creates the file with its content in one step (link), so that nobody reads a half-written one. */
async function create(path: string, { mode, ...self }: Taker): Promise<boolean> {
  const ticket = randomUUID();
  const draft = `${path}.${self.pid}_${self.start}_${ticket}`;
  try {
    await writeFile(draft, JSON.stringify({ ...self, ticket }), { flag: 'wx', mode });
    await link(draft, path);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Undefined if there is none. One that cannot be understood is dead, for locks are created whole. */
async function look(path: string): Promise<Seen | undefined> {
  try {
    const content = await readFile(path);
    const mark = createHash('sha256').update(content).digest('hex').slice(0, 32);
    return { mark, alive: lives(content.toString()) };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function lives(content: string): boolean {
  try {
    const holder = holderSchema.safeParse(JSON.parse(content));
    return holder.success && isAlive(holder.data);
  } catch {
    return false;
  }
}

/** Removes the file if it still is the one with this mark; tells whether it did. `path` is the lock that it belongs to. */
async function removeDead(file: string, mark: string, path: string, self: Taker): Promise<boolean> {
  const right = `${path}.break-${mark}`;
  if (!(await create(right, self))) {
    // Its holder may have died within these few lines.
    const other = await look(right);
    if (other !== undefined && !other.alive) await removeDead(right, other.mark, path, self);
    return false;
  }
  try {
    const isStill = (await look(file))?.mark === mark;
    if (isStill) await rm(file, { force: true });
    return isStill;
  } finally {
    await rm(right, { force: true });
  }
}

/** Removes what killed processes left of their attempts. Of drafts the names tell whose they are, for their content may be missing. */
async function sweep(path: string): Promise<void> {
  const folder = dirname(path);
  const own = `${basename(path)}.`;
  for (const name of await readdir(folder)) {
    if (name.startsWith(own) && (await isLeft(folder, name, name.slice(own.length)))) {
      await rm(join(folder, name), { force: true });
    }
  }
}

async function isLeft(folder: string, name: string, rest: string): Promise<boolean> {
  const [, pid, start] = /^(?:break-[0-9a-f]+\.)?(\d+)_([0-9a-z-]+)_[0-9a-f-]+$/.exec(rest) ?? [];
  if (pid !== undefined && start !== undefined) return !isAlive({ pid: Number(pid), start });
  return /^break-[0-9a-f]+$/.test(rest) && (await look(join(folder, name)))?.alive === false;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
