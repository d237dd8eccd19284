/** Whether the hosts file can be changed and undone. Looks only. */
import { access, constants, open, readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { listBlocks } from '../hosts/hosts-writer.ts';
import type { RunCommand } from '../platform/run-command.ts';
import { type Finding, limited, notPossible, ok } from './finding.ts';

const subject = 'hosts file';

/** How the file would be changed by somebody who has the privileges. */
export async function hostsFileFinding(path: string, run: RunCommand, signal: AbortSignal): Promise<Finding> {
  let file: string;
  let bytes: Buffer;
  try {
    file = await realpath(path);
    bytes = await readFile(file);
  } catch (error) {
    return notPossible(subject, `${path} cannot be read: ${reason(error)}.`, 'Make it readable for everybody.');
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return notPossible(
      subject,
      `${path} is in UTF-16, which name resolution does not read.`,
      'Save it as UTF-8 or plain ASCII.',
    );
  }
  const attribute = await protectingAttribute(file, run, signal);
  if (attribute !== undefined) {
    const remedy = `Allow changes: sudo chattr -${attribute.letter} ${file}`;
    return notPossible(subject, `${path} has the attribute "${attribute.name}".`, remedy);
  }
  const mount = await mountOf(file);
  if (mount?.options.includes('ro')) {
    return notPossible(subject, `${path} is on a read-only file system.`, 'Mount it for writing.');
  }
  const writable = await opensForWriting(file);
  if (writable !== true && writable !== 'EACCES') {
    return notPossible(subject, `${path} cannot be opened for writing: ${writable}.`);
  }
  const who = writable === true ? 'You may write it' : 'Only an administrator may write it';
  if (mount?.point === file) {
    return ok(
      subject,
      `${path}: ${who}. It is a mount, so it is written in place, with a copy kept until that is done.`,
    );
  }
  if (writable === true && !(await isWritableFolder(dirname(file)))) {
    return ok(subject, `${path}: ${who}, but no file beside it, so it is written in place.`);
  }
  return ok(subject, `${path}: ${who}. It is replaced as a whole.`);
}

/** What killed sessions left in the file; undefined if nothing, or if it cannot be read. */
export async function leftoversFinding(path: string): Promise<Finding | undefined> {
  const blocks = await listBlocks(path).catch(() => undefined);
  if (blocks === undefined) return undefined;
  const dead = blocks.filter(({ alive }) => !alive);
  if (dead.length === 0) return ok('leftovers', `No dead session has lines in ${path}.`);
  const sessions = dead.map(({ session }) => session).join(', ');
  return limited('leftovers', `${path} has lines of dead sessions: ${sessions}.`, 'Run "kubernetes-local restore".');
}

/** Where lsattr is not installed or does not know the file system, opening the file will tell. */
async function protectingAttribute(
  file: string,
  run: RunCommand,
  signal: AbortSignal,
): Promise<{ letter: string; name: string } | undefined> {
  if (process.platform !== 'linux') return undefined;
  const { code, stdout } = await run(['lsattr', '-d', '--', file], signal);
  const [letters = ''] = stdout.split(' ');
  if (code !== 0) return undefined;
  if (letters.includes('i')) return { letter: 'i', name: 'immutable' };
  return letters.includes('a') ? { letter: 'a', name: 'append only' } : undefined;
}

/** The mount that holds the file: the longest mount point that leads to it (proc_pid_mountinfo(5)). */
async function mountOf(file: string): Promise<{ point: string; options: readonly string[] } | undefined> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const mounts = text.split('\n').map((line) => {
    const [, , , , point = '', options = ''] = line.split(' ');
    const plain = point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    return { point: plain, options: options.split(',') };
  });
  return mounts
    .filter(
      ({ point }) => point === file || (point !== '' && file.startsWith(point.endsWith('/') ? point : `${point}/`)),
    )
    .sort((a, b) => a.point.length - b.point.length)
    .at(-1);
}

/** True, or the system's code for why not. Opening alone changes nothing. */
async function opensForWriting(file: string): Promise<true | string> {
  try {
    await using _file = await open(file, 'r+');
    return true;
  } catch (error) {
    return reason(error);
  }
}

function isWritableFolder(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
