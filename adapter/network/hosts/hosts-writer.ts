/**
 * Safe changes of the real hosts file: one at a time between all processes of this computer, always from what is in it now.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readFile, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../../problem.ts';
import { isAlive, ownIdentity, type ProcessIdentity } from '../../processes/identity.ts';
import { systemHostsFile } from '../platform/platform-commands.ts';
import { lockFile } from './file-lock.ts';
import { blocksIn, type HostsBlock, type HostsEntry, withBlock, withoutBlock } from './hosts-file.ts';
import { needsRepair, repairFile, replaceFile } from './replace-file.ts';
import { type ShadowedName, shadowedNames } from './user-entries.ts';

/** An editor saves once; so many saves within our moments are no editor's. */
const editAttempts = 20;

/** Others hold the lock for milliseconds; this long means that something is wrong. */
const lockMilliseconds = 10_000;

/** Seen to be of use with glibc; macOS and Windows, not tried, ask for both families by themselves. */
const families = process.platform === 'linux' ? 'IPv4 and IPv6' : 'IPv4';

/** The system's hosts file, or the one that tests name by KUBERNETES_LOCAL_HOSTS_FILE. */
export function hostsFilePath(): string {
  return process.env.KUBERNETES_LOCAL_HOSTS_FILE || systemHostsFile();
}

/**
 * Puts this session's block into the file in place of its earlier one, and removes the blocks of dead processes.
 * It goes first if the user maps one of its names, for the first match wins: those names are returned.
 * Problem hosts-unwritable.
 */
export async function setBlock(
  path: string,
  session: string,
  entries: readonly HostsEntry[],
  signal: AbortSignal,
): Promise<readonly ShadowedName[]> {
  let shadowed: readonly ShadowedName[] = [];
  await change(path, signal, (bytes, file) => {
    assertOurs(blocksIn(bytes), session);
    shadowed = shadowedNames(file, bytes, entries);
    const block = { session, owner: ownIdentity(), entries };
    return withBlock(withoutDead(bytes), block, shadowed.length > 0 ? 'first' : 'last', families);
  });
  return shadowed;
}

/** Opens the file for writing and changes nothing. Problem hosts-unwritable. */
export async function assertWritable(path: string): Promise<void> {
  await guarded(path, async () => {
    await using _file = await open(path, 'r+');
  });
}

/** Removes this session's block; nothing is written if there is none. Refuses that of another living process. Problem hosts-unwritable. */
export async function removeBlock(path: string, session: string, signal: AbortSignal): Promise<void> {
  // Of a file that is gone nothing is left to undo.
  if (!existsSync(path)) return;
  await change(path, signal, (bytes) => {
    assertOurs(blocksIn(bytes), session);
    return withoutBlock(bytes, session);
  });
}

/** Removes the blocks whose processes are gone. Problem hosts-unwritable. */
export async function removeDeadBlocks(path: string, signal: AbortSignal): Promise<void> {
  await change(path, signal, withoutDead);
}

/** The blocks in the file, of living and dead processes. */
export async function listBlocks(path: string): Promise<readonly (HostsBlock & { readonly alive: boolean })[]> {
  const blocks = await guarded(path, () => readFile(path).then(blocksIn));
  return blocks.map((block) => ({ ...block, alive: lives(block.owner) }));
}

/**
 * Whether nothing of this session is in the file, nor of a write in which somebody was killed. To look needs no privileges;
 * false if it cannot be told.
 */
export async function isFreeOf(path: string, session: string): Promise<boolean> {
  try {
    const file = await realpath(path);
    return !needsRepair(file) && !(await readFile(file, 'latin1')).includes(`session=${session}`);
  } catch {
    return false;
  }
}

async function change(path: string, signal: AbortSignal, edit: (bytes: Buffer, file: string) => Buffer): Promise<void> {
  await guarded(path, async () => {
    const file = await realpath(path);
    await using _lock = await lock(file, AbortSignal.any([signal, AbortSignal.timeout(lockMilliseconds)]));
    await repairFile(file);
    let before: Buffer = await readFile(file);
    let expected: Buffer = before;
    const overtaken: Buffer[] = [];
    for (let attempt = 1; attempt <= editAttempts; attempt++) {
      const after = edit(before, file);
      if (after.equals(expected)) return;
      const replacement = await replaceFile(file, after, expected);
      if (replacement.kind === 'overtook') {
        overtaken.push(appended(replacement.content, expected));
        before = overtaken.reduce(withAppended, replacement.content);
        expected = after;
      } else if (replacement.kind === 'changed') {
        expected = await readFile(file);
        // Who saved it did not see what had just been appended.
        before = overtaken.reduce(withAppended, expected);
      } else return;
      signal.throwIfAborted();
    }
    throw Object.assign(new Error('somebody else writes it all the time'), { code: 'EBUSY' });
  });
}

/** What was added at the end; nothing if it is not the same file with more. */
function appended(content: Buffer, before: Buffer): Buffer {
  return content.subarray(0, before.length).equals(before) ? content.subarray(before.length) : Buffer.alloc(0);
}

function withAppended(content: Buffer, more: Buffer): Buffer {
  if (more.length === 0 || content.includes(more)) return content;
  const isEnded = content.length === 0 || content.at(-1) === 0x0a;
  return Buffer.concat([content, Buffer.from(isEnded ? '' : '\n'), more]);
}

/**
 * The lock lies beside the file, for all users of this computer share it, and who may write there may write the hosts
 * file too. Only where nobody may create files there (read-only /etc in a container) it is in the temporary folder.
 */
async function lock(file: string, signal: AbortSignal): Promise<AsyncDisposable> {
  try {
    return await lockFile(`${file}.kubernetes-local.lock`, signal);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'].includes(codeOf(error))) throw error;
    const name = createHash('sha256').update(file).digest('hex').slice(0, 16);
    return lockFile(join(tmpdir(), `kubernetes-local-hosts-${name}.lock`), signal);
  }
}

async function guarded<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Problem || (error instanceof Error && error.name === 'AbortError')) throw error;
    const code = codeOf(error);
    throw new Problem(
      {
        code: 'hosts-unwritable',
        what: `The hosts file ${path} could not be read or changed.`,
        why:
          error instanceof Error && error.name === 'TimeoutError'
            ? 'Another process keeps it locked.'
            : code || String(error),
        remedy: 'Make it writable for root (it may be immutable, read-only or full), then try again.',
      },
      { cause: error },
    );
  }
}

function withoutDead(bytes: Buffer): Buffer {
  return blocksIn(bytes)
    .filter((block) => !lives(block.owner))
    .reduce((rest, block) => withoutBlock(rest, block.session), bytes);
}

function assertOurs(blocks: readonly HostsBlock[], session: string): void {
  const owner = blocks.find((block) => block.session === session)?.owner;
  if (owner === undefined || owner.pid === process.pid || !lives(owner)) return;
  throw new Problem({
    code: 'hosts-unwritable',
    what: `Session ${session}'s part of the hosts file is not touched.`,
    why: `Process ${owner.pid} still looks after it.`,
    remedy: 'End that session first.',
  });
}

function lives(owner: ProcessIdentity | undefined): boolean {
  return owner !== undefined && isAlive(owner);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
