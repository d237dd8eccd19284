import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DaemonStart } from './daemon-start.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'daemon-start-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** In place of our program: leaves a file when it is started, and announces what it was asked to be, with its pid. */
const program = (): readonly string[] => {
  const script = join(folder, 'program.mjs');
  writeFileSync(
    script,
    `import { closeSync, rmSync, writeFileSync, writeSync } from 'node:fs';
     const mark = ${JSON.stringify(`${folder}/started-`)} + process.pid;
     writeFileSync(mark, '');
     process.stdin.on('data', (key) => {
       writeSync(3, process.argv.slice(2).join(' ') + ' ' + String(key).trim() + ' ' + process.pid + ' ' + process.cwd());
       closeSync(3);
     });
     process.stdin.on('end', () => rmSync(mark));`,
  );
  return [process.execPath, script];
};
const living = () => readdirSync(folder).filter((name) => name.startsWith('started-'));

test('a process that is started ahead becomes the daemon that is asked for', async () => {
  using daemons = new DaemonStart(program());
  daemons.prepare();
  daemons.prepare();
  await vi.waitFor(() => expect(living()).toHaveLength(1));
  const ahead = living();
  const announced = await daemons.start('0123abcd');
  expect(announced).toMatch(/^daemon 0123abcd \d+ \/$/);
  expect(ahead).toEqual([`started-${announced.split(' ')[2]}`]);
});

test('without one ahead, and for each further daemon, a process is started', async () => {
  using daemons = new DaemonStart(program());
  const first = await daemons.start('1');
  const second = await daemons.start('2');
  expect(first).toMatch(/^daemon 1 /);
  expect(second).toMatch(/^daemon 2 /);
  expect(first.split(' ')[2]).not.toBe(second.split(' ')[2]);
});

test('one that nobody needs ends', async () => {
  const daemons = new DaemonStart(program());
  daemons.prepare();
  await vi.waitFor(() => expect(living()).toHaveLength(1));
  daemons[Symbol.dispose]();
  await vi.waitFor(() => expect(living()).toEqual([]));
});

test('one that was killed is replaced', async () => {
  using daemons = new DaemonStart(program());
  daemons.prepare();
  await vi.waitFor(() => expect(living()).toHaveLength(1));
  const pid = Number(living()[0]?.split('-')[1]);
  process.kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow());
  expect(await daemons.start('1')).not.toContain(` ${pid} `);
});

test('a program that cannot be started is an error', async () => {
  using daemons = new DaemonStart([join(folder, 'nothing')]);
  await expect(daemons.start('1')).rejects.toThrow('ENOENT');
  daemons.prepare();
  await expect(daemons.start('1')).rejects.toThrow('ENOENT');
});
