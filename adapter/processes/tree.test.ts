import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { startFamily } from './test-family.ts';
import { markVariable, ProcessTree } from './tree.ts';

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

test('knows a descendant by its mark whose parent ended before anybody looked', async () => {
  const code = `
    process.stdin.once('data', () => {
      const options = { detached: true, stdio: ['ignore', 'inherit', 'ignore'] };
      require('node:child_process').spawn('sleep', ['100000'], options).unref();
      process.exit();
    });`;
  const mark = crypto.randomUUID();
  const env = { ...process.env, [markVariable]: mark };
  const parent = spawn(process.execPath, ['-e', code], { env, stdio: ['pipe', 'ignore', 'inherit'] });
  const other = spawn('sleep', ['100000'], { env: { ...process.env, [markVariable]: `${mark}-of-another` } });
  const tree = new ProcessTree();
  await tree.add(parent.pid ?? 0, 'debugger');
  expect(tree.pids()).toEqual([parent.pid]);
  parent.stdin?.write('go');
  await once(parent, 'exit');
  const [orphan, ...more] = await tree.refresh();
  expect(more).toEqual([]);
  expect(tree.pids('program')).toEqual([orphan]);
  await tree.signal('SIGTERM');
  expect(await tree.gone(30_000)).toBe(true);
  expect(other.exitCode).toBeNull();
  other.kill();
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
