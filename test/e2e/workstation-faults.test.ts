/**
 * The writer of the hosts file, killed at each of its system calls: the file is the old or the new one, and the next writer
 * leaves it as it was before, with nothing beside it. strace kills; runs as root, for it makes a bind mount.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksIn, withBlock, withoutBlock } from '../../adapter/network/hosts/hosts-file.ts';
import { removeDeadBlocks, setBlock } from '../../adapter/network/hosts/hosts-writer.ts';
import { ensurePackages } from '../cluster/packages.ts';

const { signal } = new AbortController();
const module = JSON.stringify(join(import.meta.dirname, '../../adapter/network/hosts/hosts-writer.ts'));
const entries = [{ address: '127.64.1.1', names: ['prices', 'prices.shop'] }];
/** A line of the user's with one of the names: our block goes first, so that all of the file moves. */
const original = `127.0.0.1 localhost\r\n10.0.0.1 prices # mine\r\n${'# a comment of the user\r\n'.repeat(200)}10.0.0.2 last`;
/** What changes the file system on the way; reading cannot be a fault of the file. */
const calls = ['openat', 'write', 'pwrite64', 'fsync', 'fchown', 'fchmod', 'link', 'rename', 'unlink', 'ftruncate'];

let folder = '';
let path = '';

beforeAll(async () => {
  await ensurePackages(['strace']);
  folder = await mkdtemp(join(tmpdir(), 'faults-'));
  path = join(folder, 'hosts');
});
afterAll(() => rm(folder, { recursive: true }));

/** Waits, so that strace counts nothing of its start; then does the one act. One thread for files, so that calls have an order. */
function startWriter(act: string, isMount: boolean): ChildProcessByStdio<Writable, Readable, null> {
  const program = `
    const { setBlock, removeBlock } = await import(${module});
    const { signal } = new AbortController();
    const path = ${JSON.stringify(path)};
    const entries = ${JSON.stringify(entries)};
    process.stdin.once('data', () => void (async () => { ${act}; process.exit(0); })());
    process.stdout.write('ready');
  `;
  const node = [process.execPath, '--input-type=module', '-e', program];
  const mount = ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" "$0" && exec "$@"', path];
  const [command = '', ...args] = isMount ? [...mount, ...node] : node;
  return spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
}

/** Runs the act and kills it right before its nth such call; tells whether there was one. */
async function killedAt(act: string, isMount: boolean, call: string, nth: number): Promise<boolean> {
  const writer = startWriter(act, isMount);
  await once(writer.stdout, 'data');
  const only = [
    '',
    '.kubernetes-local.new',
    '.kubernetes-local.lock',
    '.kubernetes-local.saved',
    '.kubernetes-local.saved.new',
  ];
  // Without these, the writes by which threads wake each other would count. Names are followed whoever they belong to.
  const paths = call === 'write' || call === 'pwrite64' ? only.flatMap((suffix) => ['-P', `${path}${suffix}`]) : [];
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${nth}`];
  const strace = spawn('strace', ['-f', '-o', '/dev/null', ...inject, ...paths, '-p', String(writer.pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await once(strace.stderr, 'data');
  writer.stdin.on('error', () => {}).write('go');
  const [[code, killed]] = await Promise.all([once(writer, 'exit'), once(strace, 'exit')]);
  expect(killed === 'SIGKILL' || code === 0, `${call} ${nth}: ${code} ${killed}`).toBe(true);
  return killed === 'SIGKILL';
}

/** Whether it is the file without or with the whole block. */
function isOldOrNew(file: Buffer): boolean {
  const plain = Buffer.from(original);
  if (file.equals(plain)) return true;
  const [block] = blocksIn(file);
  if (block?.owner === undefined) return false;
  return file.equals(withBlock(plain, { session: 's', owner: block.owner, entries }, 'first', 'IPv4 and IPv6'));
}

const set = `await setBlock(path, 's', entries, signal)`;
const remove = `await removeBlock(path, 's', signal)`;
/** A session that died stands in it, to be removed by the one that is killed. */
const leaveDead = async () => {
  const dead = { session: 's', owner: { pid: 4_194_304, start: '1-00000000' }, entries };
  await writeFile(path, withBlock(Buffer.from(original), dead, 'first', 'IPv4 and IPv6'));
};

describe.each([
  ['set, by rename', set, false, () => writeFile(path, original)],
  ['removed, by rename', remove, false, leaveDead],
  ['set, in place', set, true, () => writeFile(path, original)],
  ['removed, in place', remove, true, leaveDead],
] as const)('a block that is %s', (_name, act, isMount, prepare) => {
  it.each(calls)('and killed before each %s', async (call) => {
    const places: boolean[] = [];
    for (let nth = 1; ; nth++) {
      await prepare();
      const isKilled = await killedAt(act, isMount, call, nth);
      const file = await readFile(path);
      // A mount is written byte by byte, so only the next writer makes it whole.
      if (!isMount) expect(isOldOrNew(file), `${call} ${nth}`).toBe(true);
      await removeDeadBlocks(path, signal);
      expect((await readFile(path, 'utf8')) === original, `${call} ${nth}: not repaired`).toBe(true);
      expect(await readdir(folder), `${call} ${nth}`).toEqual(['hosts']);
      if (!isKilled) break;
      places.push(isOldOrNew(file));
    }
    // Which of them happen is seen in the next test: a kill that never came would prove nothing.
    happened.add(`${isMount ? 'in place' : 'rename'} ${call} ${places.length > 0}`);
    torn += places.filter((isWhole) => !isWhole).length;
  });
});

const happened = new Set<string>();
let torn = 0;

it('each of these calls was really on the way, and in place something was really torn', () => {
  for (const call of ['openat', 'write', 'fsync', 'fchown', 'fchmod', 'link', 'rename', 'unlink']) {
    expect(happened).toContain(`rename ${call} true`);
  }
  for (const call of ['openat', 'write', 'pwrite64', 'fsync', 'link', 'rename', 'unlink', 'ftruncate']) {
    expect(happened).toContain(`in place ${call} true`);
  }
  expect(torn).toBeGreaterThan(0);
});

it('a torn file that somebody appended to since is repaired with that line', async () => {
  await leaveDead();
  expect(await killedAt(remove, true, 'ftruncate', 1)).toBe(true);
  const file = await readFile(path);
  expect(isOldOrNew(file)).toBe(false);
  await writeFile(path, Buffer.concat([file, Buffer.from('9.9.9.9 since\n')]));
  await setBlock(path, 'next', entries, signal);
  expect(withoutBlock(await readFile(path), 'next').toString()).toBe(`${original}9.9.9.9 since\n`);
  expect(await readdir(folder)).toEqual(['hosts']);
});
