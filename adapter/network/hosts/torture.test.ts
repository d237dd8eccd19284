/**
 * Any hosts file, by whatever way it can be written, comes back to the byte. HOSTS_SEED repeats a run: its number is printed.
 * Needs root or a rootless `unshare` for bind mounts; a computer that has neither fails here and says so.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blocksIn, type HostsEntry, withBlock, withoutBlock } from './hosts-file.ts';
import { removeBlock, removeDeadBlocks, setBlock } from './hosts-writer.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
const seed = Number(process.env.HOSTS_SEED ?? 20261);
process.stdout.write(`HOSTS_SEED=${seed}\n`);

type Pick = (below: number) => number;

/** mulberry32: a small generator with a seed, so that a failure can be repeated. */
function random(from: number): Pick {
  let state = from;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const owner = { pid: 4_194_304, start: '1-00000000' };
const dockers = '# Added by Docker Desktop\n192.168.1.2 host.docker.internal\n# End of section\n';
const pieces = [
  '127.0.0.1 localhost',
  '::1\tlocalhost ip6-localhost # mine',
  '10.0.0.1 prices prices.shop',
  '10.0.0.1 prices prices.shop',
  '127.64.0.1 prices',
  '',
  ' ',
  '\t# a comment',
  '\r',
  '\u0000\u0000',
  '\u00ff\u0080\u00c3\u0028',
  '# BEGIN kubernetes-local session=',
  '# END kubernetes-local',
  '# BEGIN other-tool session=a pid=1 start=1-0',
  '127.64.0.9 x # other-tool session=a',
  '# END other-tool',
  dockers,
  'x'.repeat(3_000),
];

/** One character a byte, as hosts-file.ts reads it. */
function randomFile(pick: Pick): Buffer {
  const huge = pick(2_000) === 0;
  const count = huge ? 15_000 : pick(12);
  const end = ['\n', '\r\n'][pick(2)] ?? '';
  const lines = Array.from({ length: count }, () => `${pieces[pick(pieces.length)]}${pick(9) === 0 ? '\n' : end}`);
  const last = pick(3) === 0 ? pieces[pick(pieces.length)] : '';
  return Buffer.from(`${pick(6) === 0 ? '\u00ef\u00bb\u00bf' : ''}${lines.join('')}${last}`, 'latin1');
}

function randomEntries(pick: Pick): HostsEntry[] {
  return Array.from({ length: 1 + pick(4) }, (_, index) => ({
    address: `127.64.${pick(256)}.${index + 1}`,
    names: Array.from({ length: 1 + pick(12) }, (_each, at) => `n${pick(50)}-${at}.shop`),
  }));
}

const families = ['IPv4', 'IPv4 and IPv6'] as const;
const place = (pick: Pick) => (pick(2) === 0 ? 'first' : 'last');
const add = (bytes: Buffer, session: string, pick: Pick) =>
  withBlock(bytes, { session, owner, entries: randomEntries(pick) }, place(pick), families[pick(2)]);

describe('10,000 files', () => {
  it('come back to the byte, with other sessions and dead ones between', () => {
    for (let index = 0; index < 10_000; index++) {
      const pick = random(seed + index);
      const original = randomFile(pick);
      const sessions = ['a', 'b', 'c', 'dead'].slice(0, 1 + pick(4));
      let file = original;
      // Each comes, perhaps goes, and comes again; in the end all go, in any order.
      for (let step = pick(6) + 1; step > 0; step--) {
        const session = sessions[pick(sessions.length)] ?? 'a';
        file = pick(4) === 0 ? withoutBlock(file, session) : add(file, session, pick);
      }
      for (const session of sessions.sort(() => pick(3) - 1)) file = withoutBlock(file, session);
      expect(file.equals(original), `HOSTS_SEED=${seed + index}`).toBe(true);
    }
  });

  it('keep what somebody wrote into them meanwhile', () => {
    for (let index = 0; index < 10_000; index++) {
      const pick = random(seed + index);
      const original = randomFile(pick).toString('latin1');
      const line = `9.9.9.${pick(250)} somebody\n`;
      let file = add(Buffer.from(original, 'latin1'), 'a', pick);
      if (pick(2) === 0) file = add(file, 'b', pick);
      const edited = file.toString('latin1');
      const isFront = pick(2) === 0 && !edited.startsWith('\u00ef\u00bb\u00bf');
      const joint = edited === '' || edited.endsWith('\n') ? '' : '\n';
      file = Buffer.from(isFront ? line + edited : edited + joint + line, 'latin1');
      const result = withoutBlock(withoutBlock(file, 'b'), 'a').toString('latin1');
      const why = `HOSTS_SEED=${seed + index}`;
      if (isFront) expect(result, why).toBe(line + original);
      else {
        expect(result.startsWith(original) && result.endsWith(line), why).toBe(true);
        // The newline that the user's last line needed before another one.
        const between = result.slice(original.length, -line.length);
        const body = original.replace(/^\u00ef\u00bb\u00bf/, '');
        expect(body === '' || body.endsWith('\n') ? [''] : ['\n', '\r\n'], why).toContain(between);
      }
    }
  });
});

describe('real files', () => {
  let folder = '';
  let path = '';
  let children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'torture-'));
    path = join(folder, 'hosts');
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  it('300 of them, also read-only and behind a link, come back to the byte, with mode and owner', async () => {
    const indexes = Array.from({ length: 300 }, (_, index) => index);
    // They wait for the disk most of the time.
    const workers = Array.from({ length: 15 }, async () => {
      for (let index = indexes.pop(); index !== undefined; index = indexes.pop()) await oneFile(index);
    });
    await Promise.all(workers);
  });

  async function oneFile(index: number): Promise<void> {
    const pick = random(seed + index);
    const why = `HOSTS_SEED=${seed + index}`;
    const own = join(folder, String(index));
    const file = join(own, 'hosts');
    const link = join(folder, `link-${index}`);
    const original = randomFile(pick);
    await mkdir(own);
    await writeFile(file, original);
    await chmod(file, [0o644, 0o444, 0o600][pick(3)] ?? 0);
    const before = await lstat(file);
    await symlink(file, link);
    const given = pick(3) === 0 ? link : file;
    if (pick(3) === 0) await replaceContent(file, add(original, 'dead', pick));
    await setBlock(given, 'a', randomEntries(pick), signal);
    if (pick(2) === 0) await setBlock(given, 'b', randomEntries(pick), signal);
    expect(blocksIn(await readFile(file)).map(({ session }) => session)).toContain('a');
    await removeBlock(given, 'a', signal);
    await removeBlock(given, 'b', signal);
    expect((await readFile(file)).equals(original), why).toBe(true);
    const { mode, uid, gid } = await lstat(file);
    expect({ mode, uid, gid }, why).toEqual({ mode: before.mode, uid: before.uid, gid: before.gid });
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readdir(own), why).toEqual(['hosts']);
  }

  /** Also of a read-only one. */
  async function replaceContent(file: string, content: Buffer): Promise<void> {
    const { mode } = await lstat(file);
    await chmod(file, 0o600);
    await writeFile(file, content);
    await chmod(file, mode & 0o7777);
  }

  it('100 bind mounts come back to the byte, written in place', async () => {
    await writeFile(path, '');
    const files = Array.from({ length: 100 }, (_, index) => randomFile(random(seed + index)).toString('latin1'));
    await writeFile(join(folder, 'files.json'), JSON.stringify(files));
    const program = `
      import { readFileSync, statSync, writeFileSync } from 'node:fs';
      const { setBlock, removeBlock } = await import(${url('hosts-writer.ts')});
      const path = ${JSON.stringify(path)};
      const inode = statSync(path).ino;
      const files = JSON.parse(readFileSync(${JSON.stringify(join(folder, 'files.json'))}, 'utf8'));
      const { signal } = new AbortController();
      let changed = 0;
      for (const [index, file] of files.entries()) {
        const original = Buffer.from(file, 'latin1');
        writeFileSync(path, original);
        const entries = [{ address: '127.64.0.1', names: ['prices', 'n' + index] }];
        await setBlock(path, 'a', entries, signal);
        if (index % 2 === 0) await setBlock(path, 'b', entries, signal);
        if (!readFileSync(path).equals(original)) changed++;
        await removeBlock(path, 'a', signal);
        await removeBlock(path, 'b', signal);
        if (!readFileSync(path).equals(original)) throw new Error('file ' + index + ' did not come back');
      }
      if (statSync(path).ino !== inode) throw new Error('it was replaced');
      console.log(changed);
    `;
    const namespace = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const script = `mount --bind "$1" "$1" && exec "$2" --input-type=module -e "$3"`;
    const command = [...namespace, '--mount', 'sh', '-c', script, 'sh', path, process.execPath, program];
    const { stdout } = await run('unshare', command);
    expect(stdout).toBe('100\n');
    expect((await readdir(folder)).sort()).toEqual(['files.json', 'hosts']);
  });

  it('written by many processes at once, and by an editor that knows no lock, lose no line', async () => {
    const original = '127.0.0.1 localhost\n10.0.0.1 mine\n';
    await writeFile(path, original);
    const writers = Array.from({ length: 4 }, (_, index) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', writer(path, `w${index}`, 12)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      return child;
    });
    const [first] = writers;
    await once(first?.stdout ?? process.stdin, 'data');
    const pick = random(seed);
    const added: string[] = [];
    for (let index = 0; index < 24; index++) {
      const line = `9.9.9.${index} somebody-${index} # ${'x'.repeat(pick(200))}`;
      added.push(line);
      if (index % 2 === 0) appendFileSync(path, `${line}\n`);
      else await saveByRename(path, line);
      await delay(pick(40));
    }
    const codes = await Promise.all(
      writers.map(async (child) => [await text(child.stdout), child.exitCode ?? (await once(child, 'exit'))[0]]),
    );
    expect(codes.map(([, code]) => code)).toEqual([0, 0, 0, 0]);
    // An editor that read a block and saved it after it was removed brings it back; its process is dead by now.
    await removeDeadBlocks(path, signal);
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    expect(lines, `HOSTS_SEED=${seed}`).toEqual([...original.split('\n').slice(0, -1), ...lines.slice(2)]);
    expect(lines.slice(2).sort(), `HOSTS_SEED=${seed}`).toEqual(added.sort());
    expect(await readdir(folder)).toEqual(['hosts']);
  });
});

/**
 * As editors save. One that comes within the microseconds between another's last look and rename is lost, see
 * replace-file.ts, and its user would see that; so it looks, and saves again.
 */
async function saveByRename(path: string, line: string): Promise<void> {
  const draft = `${path}-editor`;
  do {
    await writeFile(draft, `${await readFile(path, 'utf8')}${line}\n`);
    await rename(draft, path);
    await delay(60);
  } while (!(await readFile(path, 'utf8')).includes(line));
}

function url(module: string): string {
  return JSON.stringify(join(import.meta.dirname, module));
}

/** Adds and removes its block, again and again. */
function writer(path: string, session: string, rounds: number): string {
  return `
    const { setBlock, removeBlock } = await import(${url('hosts-writer.ts')});
    const { signal } = new AbortController();
    console.log('ready');
    for (let round = 0; round < ${rounds}; round++) {
      const entries = [{ address: '127.64.1.' + (round + 1), names: ['${session}', '${session}-' + round] }];
      await setBlock(${JSON.stringify(path)}, '${session}', entries, signal);
      await removeBlock(${JSON.stringify(path)}, '${session}', signal);
    }
  `;
}
