import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { ProcessTree } from './tree.ts';

vi.setConfig({ testTimeout: 60_000 });

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that starts another, detached one, says its pid, and can be told to leave it alone (by SIGINT). */
async function family(): Promise<{ parent: ChildProcess; pid: number; grandchild: number }> {
  const code = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); process.on("SIGTERM", () => {}); console.log(process.pid)'],
      { detached: true, stdio: ['ignore', 'inherit', 'ignore'] });
    process.on('SIGINT', () => process.exit());
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(parent);
  const [text] = await once(parent.stdout, 'data');
  if (parent.pid === undefined) throw new Error('It was not started.');
  return { parent, pid: parent.pid, grandchild: Number(text) };
}

test('finds descendants, tells those of the program, and ends them with SIGKILL if SIGTERM is not enough', async () => {
  const { parent, pid, grandchild } = await family();
  const exited = once(parent, 'exit');
  const tree = new ProcessTree();
  expect(await tree.add(pid, 'debugger')).toEqual([]);
  expect(await tree.add(grandchild, 'program')).toEqual([grandchild]);
  expect(await tree.add(grandchild, 'program')).toEqual([]);
  await tree.signal('SIGTERM');
  await exited;
  expect(await tree.gone(0)).toBe(false);
  await tree.signal('SIGKILL');
  expect(await tree.gone(30_000)).toBe(true);
});

test('remembers a descendant whose parent has left it', async () => {
  const { parent, pid, grandchild } = await family();
  const tree = new ProcessTree();
  expect((await tree.add(pid, 'program')).toSorted()).toEqual([pid, grandchild].toSorted());
  parent.kill('SIGINT');
  await once(parent, 'exit');
  expect(await tree.gone(0)).toBe(false);
  await tree.signal('SIGKILL');
  expect(await tree.gone(30_000)).toBe(true);
});

test('a process that is gone is no part of it', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const tree = new ProcessTree();
  expect(await tree.add(child.pid ?? 0, 'program')).toEqual([]);
  expect(tree.empty).toBe(true);
});
