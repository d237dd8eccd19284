import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { startFamily } from './test-family.ts';
import { ProcessTree } from './tree.ts';

vi.setConfig({ testTimeout: 60_000 });

test('finds descendants, tells those of the program, and ends them with SIGKILL if SIGTERM is not enough', async () => {
  using family = await startFamily();
  const { parent, pid, grandchild } = family;
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
  using family = await startFamily();
  const { parent, pid, grandchild } = family;
  const tree = new ProcessTree();
  expect((await tree.add(pid, 'program')).toSorted()).toEqual([pid, grandchild].toSorted());
  parent.kill('SIGINT');
  await once(parent, 'exit');
  expect(await tree.gone(0)).toBe(false);
  await tree.signal('SIGKILL');
  expect(await tree.gone(30_000)).toBe(true);
});

test('a part of it can be told apart and ended alone', async () => {
  using family = await startFamily();
  const { parent, pid, grandchild } = family;
  const exited = once(parent, 'exit');
  const tree = new ProcessTree();
  await tree.add(pid, 'debugger');
  await tree.add(grandchild, 'program');
  expect(tree.pids('debugger')).toEqual([pid]);
  expect(tree.pids('program')).toEqual([grandchild]);
  await tree.signal('SIGTERM', 'debugger');
  await exited;
  expect(await tree.gone(30_000, 'debugger')).toBe(true);
  expect(tree.pids()).toEqual([grandchild]);
});

test('looks one after the other, so that a slow one does not forget what a later one found', async () => {
  using family = await startFamily();
  const tree = new ProcessTree();
  await Promise.all([...Array.from({ length: 20 }, () => tree.refresh()), tree.add(family.pid, 'program')]);
  expect(tree.pids('program').toSorted()).toEqual([family.pid, family.grandchild].toSorted());
});

test('a process that is gone is no part of it', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const tree = new ProcessTree();
  expect(await tree.add(child.pid ?? 0, 'program')).toEqual([]);
  expect(tree.empty).toBe(true);
});
