import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { Journal } from '../../session/journal/journal.ts';
import { sessionFiles } from '../../session/state-folder.ts';
import { foreignSessions } from './foreign-sessions.ts';
import { watchSessions } from './watch-sessions.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'kubernetes-local-state-'));
  vi.stubEnv('KUBERNETES_LOCAL_STATE', state);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(state, { recursive: true });
});

/** What a session leaves whose daemon was killed. */
function interrupted(key: string, target: string): Journal {
  const journal = new Journal(sessionFiles(key).journal);
  const place = { context: 'dev', namespace: 'shop' };
  journal.append({ act: 'session', version: 1, id: key, started: '2026-11-28T12:00:00Z', pid: 1, target, ...place });
  return journal;
}

it('shows what was interrupted, sorted by target, and not what is ours', async () => {
  using _web = interrupted('b', 'service/web');
  using _cart = interrupted('c', 'service/cart');
  using _ours = interrupted('a', 'service/ours');
  expect(await foreignSessions(new Set(['a']))).toEqual([
    { key: 'c', target: 'service/cart', place: 'shop of dev', state: 'interrupted' },
    { key: 'b', target: 'service/web', place: 'shop of dev', state: 'interrupted' },
  ]);
});

it('does not show what was undone', async () => {
  interrupted('a', 'service/cart').delete();
  expect(await foreignSessions(new Set())).toEqual([]);
});

it('hears of sessions that begin and end, in folders that were there and in new ones', async () => {
  sessionFiles('old');
  const changed = vi.fn();
  using _watch = watchSessions(changed, silentLog);
  const first = interrupted('old', 'service/cart');
  await vi.waitFor(() => expect(changed).toHaveBeenCalled());
  changed.mockClear();
  first.delete();
  await vi.waitFor(() => expect(changed).toHaveBeenCalled());
  changed.mockClear();
  const second = interrupted('new', 'service/web');
  await vi.waitFor(() => expect(changed).toHaveBeenCalled());
  changed.mockClear();
  second.delete();
  await vi.waitFor(() => expect(changed).toHaveBeenCalled());
});

it('hears nothing after its end', async () => {
  const changed = vi.fn();
  const heard = vi.fn();
  const watch = watchSessions(changed, silentLog);
  watch[Symbol.dispose]();
  using _other = watchSessions(heard, silentLog);
  writeFileSync(join(sessionFiles('a').folder, 'token'), '');
  await vi.waitFor(() => expect(heard).toHaveBeenCalled());
  expect(changed).not.toHaveBeenCalled();
});
