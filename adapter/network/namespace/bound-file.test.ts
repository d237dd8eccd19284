import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder = '';
let target = '';
let shower: ChildProcess;
let lines: Interface;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bound-'));
  target = join(folder, 'target');
  await writeFile(target, 'original');
  const script = new URL('test-bound-file.ts', import.meta.url).pathname;
  const args = ['--user', '--map-current-user', '--keep-caps', '--mount', '--'];
  shower = spawn('unshare', [...args, process.execPath, script, target, join(folder, 'ours')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (shower.stdout === null) throw new Error('no pipe');
  lines = createInterface({ input: shower.stdout });
});
afterEach(async () => {
  const gone = new Promise((resolve) => shower.once('exit', resolve));
  shower.stdin?.end();
  await gone;
  await rm(folder, { recursive: true });
});

async function show(content: string): Promise<void> {
  const shown = new Promise((resolve) => lines.once('line', resolve));
  shower.stdin?.write(`${JSON.stringify(content)}\n`);
  await shown;
}

/** By the way of the mount namespace of the process that shows. */
const seen = () => readFile(`/proc/${shower.pid}/root${target}`, 'utf8');

describe('BoundFile', () => {
  it('shows its content inside only, and each change of it', async () => {
    for (const content of ['one', 'a longer one', 'two', '']) {
      await show(content);
      expect(await seen()).toBe(content);
      expect(await readFile(target, 'utf8')).toBe('original');
    }
  });

  it('keeps one mount, however often it changes', async () => {
    for (let round = 0; round < 10; round++) await show(`round ${round}`);
    const mounts = await readFile(`/proc/${shower.pid}/mountinfo`, 'utf8');
    expect(mounts.split('\n').filter((line) => line.includes(` ${target} `))).toHaveLength(1);
  });

  it('is never seen in part, nor gone', async () => {
    const content = (letter: string) => letter.repeat(200_000);
    await show(content('a'));
    let reading = true;
    let seenWrong = '';
    const reader = (async () => {
      while (reading) {
        const text = await seen();
        if (text !== content(text.charAt(0))) seenWrong = text;
      }
    })();
    for (let round = 0; round < 20; round++) await show(content('abcdefghijklmnopqrstuvwxyz'.charAt(round)));
    reading = false;
    await reader;
    expect(seenWrong).toBe('');
  });

  it('comes back after somebody outside has replaced the file', async () => {
    await show('ours');
    await writeFile(`${target}.new`, 'replaced');
    await rename(`${target}.new`, target);
    expect(await seen()).toBe('replaced');
    await show('ours again');
    expect(await seen()).toBe('ours again');
    expect(await readFile(target, 'utf8')).toBe('replaced');
  });
});
