import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Journal } from '../journal/journal.ts';
import type { Status } from '../protocol.ts';
import { sessionFiles } from '../state-folder.ts';
import { sessionKey } from './client.ts';
import { type KnownSession, knownSessions } from './known-sessions.ts';
import { chosenSession } from './session-choice.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-choice-'));
const kubeconfig = join(folder, 'kubeconfig');
const server = 'https://127.0.0.1:1';
beforeAll(() => {
  vi.stubEnv('KUBERNETES_LOCAL_STATE', join(folder, 'state'));
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'dev',
    clusters: [{ name: 'dev', cluster: { server } }],
    users: [{ name: 'anna', user: { token: 'hunter2' } }],
    contexts: [{ name: 'dev', context: { cluster: 'dev', user: 'anna', namespace: 'shop' } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const standing: Status = { state: 'connected', session: 'x', pid: 1, started: '', clients: [], kept: [] };
const known = (key: string, alive: boolean): KnownSession => ({
  key,
  status: alive ? standing : undefined,
  acts: [],
});

describe('the session that is meant', () => {
  it('is the only one that stands, if none is named', () => {
    expect(chosenSession({}, [known('aaaa', false), known('bbbb', true)])).toBe('bbbb');
    expect(chosenSession({}, [known('aaaa', false)])).toBeUndefined();
  });

  it('has to be named if several stand', () => {
    const all = [known('aaaa', true), known('bbbb', true)];
    expect(() => chosenSession({}, all)).toThrow(/Several sessions stand.*aaaa.*bbbb.*--session/);
    expect(chosenSession({ session: 'b' }, all)).toBe('bbbb');
    expect(() => chosenSession({ session: 'c' }, all)).toThrow('There is no session "c".');
  });

  it('is that of a target', () => {
    const key = sessionKey({ context: 'dev', namespace: 'shop', target: 'cart' }, server);
    expect(chosenSession({ target: 'cart', kubeconfig }, [])).toBe(key);
    expect(chosenSession({ target: 'service/cart', kubeconfig, namespace: 'shop' }, [])).toBe(key);
    expect(chosenSession({ target: 'cart', kubeconfig, namespace: 'other' }, [])).not.toBe(key);
  });
});

it('known are those that left something', async () => {
  const interrupted = sessionFiles('aaaa');
  using journal = new Journal(interrupted.journal);
  journal.append({ act: 'lease', name: 'x' });
  sessionFiles('bbbb');
  expect(await knownSessions()).toStrictEqual([
    { key: 'aaaa', status: undefined, acts: [{ act: 'lease', name: 'x' }], left: 'interrupted' },
  ]);
});
