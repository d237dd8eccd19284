import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { isAlive, startFamily } from '../../processes/test-family.ts';
import { Guard } from './guard.ts';

vi.setConfig({ testTimeout: 60_000 });

test('ends a debug adapter and all that it started, also what ignores SIGTERM', async () => {
  using family = await startFamily();
  const exited = once(family.parent, 'exit');
  const guard = new Guard(silentLog);
  guard.started({ pid: family.pid, role: 'debugger' });
  await guard.end();
  expect((await exited)[1]).toBe('SIGTERM');
  expect(await isAlive(family.grandchild)).toBe(false);
});

test('ends a program whose parent, once seen, has gone', async () => {
  using family = await startFamily();
  const guard = new Guard(silentLog);
  guard.started({ pid: family.pid, role: 'program' });
  expect((await guard.programs()).toSorted()).toEqual([family.pid, family.grandchild].toSorted());
  family.parent.kill('SIGINT');
  await once(family.parent, 'exit');
  await guard.end();
  expect(await isAlive(family.grandchild)).toBe(false);
});

test('leaves alone what was attached to, and what its client has taken care of', async () => {
  using family = await startFamily();
  const attached = new Guard(silentLog);
  attached.started({ pid: family.pid, role: 'attached' });
  await attached.end();
  const forgotten = new Guard(silentLog);
  forgotten.started({ pid: family.pid, role: 'program' });
  forgotten.forget();
  await forgotten.end();
  expect(await isAlive(family.pid)).toBe(true);
  expect(await isAlive(family.grandchild)).toBe(true);
});

test('spares a program that may outlive its client, but not the debug adapter', async () => {
  using family = await startFamily();
  const exited = once(family.parent, 'exit');
  const guard = new Guard(silentLog);
  guard.started({ pid: family.pid, role: 'debugger' });
  guard.started({ pid: family.grandchild, role: 'program' });
  guard.spareProgram();
  await guard.end();
  await exited;
  expect(await guard.programs()).toEqual([family.grandchild]);
});
