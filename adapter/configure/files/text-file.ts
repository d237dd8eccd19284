/**
 * A text file of the user's: read as it is, written so that nobody ever sees half of it. Mode, owner, byte order mark and
 * the link that it may be stay; a file of somebody else's making is never replaced unseen.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Problem } from '../../problem.ts';

export interface TextFile {
  readonly path: string;
  /** Without the byte order mark; undefined if there is no such file. */
  readonly text: string | undefined;
}

/** What was written, for the user. */
export interface Written {
  readonly path: string;
  /** Whether it was not there before. */
  readonly created: boolean;
}

const byteOrderMark = '\uFEFF';

/** Problem bad-value if it is there and cannot be read as UTF-8 text. */
export function readTextFile(path: string): TextFile {
  const bytes = read(path);
  if (bytes === undefined) return { path, text: undefined };
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    throw new Problem(
      {
        code: 'bad-value',
        what: `${path} cannot be read.`,
        why: 'It is not UTF-8 text.',
        remedy: 'Save it as UTF-8 and start again. Nothing was changed.',
      },
      { cause: error },
    );
  }
}

/** Replaces what was read by `text`, or makes the file and its folder. Problem bad-value if it changed meanwhile or cannot be written. */
export async function writeTextFile(file: TextFile, text: string): Promise<Written> {
  const { path } = file;
  try {
    return file.text === undefined ? await create(path, text) : await replace(file, text);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw unwritable(path, error);
  }
}

async function create(path: string, text: string): Promise<Written> {
  mkdirSync(dirname(path), { recursive: true });
  const draft = await writeBeside(path, Buffer.from(text), 0o666);
  try {
    // Unlike rename, link never replaces what somebody made in the meantime.
    linkSync(draft, path);
  } catch (error) {
    if (isExists(error)) throw changed(path);
    throw error;
  } finally {
    rmSync(draft);
  }
  return { path, created: true };
}

async function replace({ path, text: before }: TextFile, text: string): Promise<Written> {
  const target = realpathSync(path);
  const bytes = readFileSync(target);
  if (new TextDecoder('utf-8').decode(bytes) !== before) throw changed(path);
  const mark = bytes.subarray(0, 3).equals(Buffer.from(byteOrderMark)) ? byteOrderMark : '';
  const { mode, uid, gid } = statSync(target);
  const draft = await writeBeside(target, Buffer.from(mark + text), mode & 0o7777);
  try {
    const made = statSync(draft);
    if (made.uid !== uid || made.gid !== gid) chownSync(draft, uid, gid);
    // After chown, which takes the set-id bits away; and the umask may have taken others.
    chmodSync(draft, mode & 0o7777);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  return { path, created: false };
}

/** A complete new file in the same folder. */
async function writeBeside(path: string, bytes: Buffer, mode: number): Promise<string> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  const handle = await open(draft, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return draft;
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Problem(
      {
        code: 'bad-value',
        what: `${path} cannot be read.`,
        why: error instanceof Error ? error.message : String(error),
        remedy: 'Make it a file that you may read, and start again. Nothing was changed.',
      },
      { cause: error },
    );
  }
}

function isExists(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

function changed(path: string): Problem {
  return new Problem({
    code: 'bad-value',
    what: `${path} was not written.`,
    why: 'Another program has changed it since it was read.',
    remedy: 'Start again.',
  });
}

function unwritable(path: string, error: unknown): Problem {
  return new Problem(
    {
      code: 'bad-value',
      what: `${path} cannot be written.`,
      why: error instanceof Error ? error.message : String(error),
      remedy: 'Make the folder writable, and start again.',
    },
    { cause: error },
  );
}
