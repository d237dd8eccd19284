import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cluster } from '../../cluster/cluster.ts';
import { FakeApiServer } from '../../cluster/fake-api-server.ts';
import type { PrivilegedHelper } from '../../network/helper/helper-client.ts';
import { Problem } from '../../problem.ts';
import type { Act } from '../journal/journal.ts';
import { undo } from './undo.ts';

const acts: readonly Act[] = [
  {
    act: 'session',
    version: 1,
    id: 's1',
    started: '2026-01-01T00:00:00.000Z',
    pid: 1,
    context: 'dev',
    namespace: 'shop',
    target: 'cart',
  },
];

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-undo-'));
  file = join(folder, 'hosts');
  writeFileSync(file, '# BEGIN kubernetes-local session=s1 pid=2 start=1\n# END kubernetes-local session=s1\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A helper whose process may have been killed; `cleared` gets what it did. */
function helper(alive: boolean, cleared: string[]): PrivilegedHelper {
  const gone = Promise.withResolvers<void>();
  return {
    pid: 2,
    elevation: 'direct',
    listen: () => Promise.reject(new Error('not here')),
    setAddresses: async () => {},
    closed: gone.promise,
    checkHosts: async () => {},
    setHosts: async () => [],
    clearHosts: async (session) => {
      if (!alive) throw new Problem({ code: 'helper-failed', what: 'It failed.', why: 'It is gone.', remedy: '' });
      cleared.push(session);
    },
    [Symbol.asyncDispose]: async () => gone.resolve(),
  };
}

async function undone(helpers: readonly boolean[]): Promise<{ readonly cleared: string[]; readonly opened: number }> {
  const cleared: string[] = [];
  let opened = 0;
  const done = undo({
    acts: [...acts, { act: 'hosts', file }],
    openCluster: () => Promise.reject(new Error('nothing is to be undone there')),
    openHelper: async () => helper(helpers[opened++] ?? false, cleared),
    progress: () => {},
    notice: () => {},
    signal: new AbortController().signal,
  });
  await done;
  return { cleared, opened };
}

describe('the undo of the hosts file', () => {
  it('is asked of one helper', async () => {
    expect(await undone([true, true])).toEqual({ cleared: ['s1'], opened: 1 });
  });

  it('is asked of a second helper if the first was killed a moment ago', async () => {
    expect(await undone([false, true])).toEqual({ cleared: ['s1'], opened: 2 });
  });

  it('is asked of nobody else if the first has undone it before it ended, as at a log-out', async () => {
    writeFileSync(file, '127.0.0.1 localhost\n');
    expect(await undone([false, true])).toEqual({ cleared: [], opened: 1 });
  });

  it('is incomplete if no helper stays alive', async () => {
    await expect(undone([false, false])).rejects.toMatchObject({ code: 'undo-incomplete' });
  });
});

describe('the undo in the cluster', () => {
  const inCluster: readonly Act[] = [
    ...acts.filter(({ act }) => act === 'session'),
    { act: 'lease', name: 'lease-of-cart' },
  ];
  const undoWith = (openCluster: () => Promise<Cluster>, told: string[] = []) =>
    undo({
      acts: inCluster,
      openCluster,
      openHelper: () => Promise.reject(new Error('nothing is to be undone here')),
      progress: () => {},
      notice: (text) => told.push(text),
      signal: new AbortController().signal,
    });
  const gone = 'Namespace shop is deleted, and with it all that the session did in the cluster.';

  it('has nothing to do in a namespace that is gone', async () => {
    const told: string[] = [];
    const unknown = new Problem({ code: 'namespace-unknown', what: 'There is none.', why: '', remedy: '' });
    await undoWith(() => Promise.reject(unknown), told);
    expect(told).toEqual([gone]);
  });

  it.each(['Terminating', undefined])(
    'is over when the namespace goes (%s), and the user’s rights with it',
    async (phase) => {
      await using server = await FakeApiServer.start(({ path }) => {
        if (!path.endsWith('/namespaces/shop')) return 403;
        return phase === undefined ? 404 : { metadata: {}, status: { phase } };
      });
      const told: string[] = [];
      await undoWith(async () => server.cluster(), told);
      expect(told).toEqual([gone]);
    },
  );

  it('waits for an API server that was started a moment ago and has not read the Roles yet', async () => {
    const refused = { kind: 'Status', message: 'leases "x" is forbidden: User "anna" cannot get resource "leases"' };
    let refusals = 2;
    await using server = await FakeApiServer.start(({ path }) => {
      if (path.endsWith('/namespaces/shop')) return { metadata: {}, status: { phase: 'Active' } };
      if (refusals-- <= 0) return 404;
      return (response) => {
        response.writeHead(403, { 'Content-Type': 'application/json' }).end(JSON.stringify(refused));
      };
    });
    await undoWith(async () => server.cluster());
    expect(refusals).toBeLessThan(0);
  });

  it.each([{ status: { phase: 'Active' }, metadata: {} }, 403])(
    'is incomplete without rights otherwise',
    async (answer) => {
      await using server = await FakeApiServer.start(({ path }) => (path.endsWith('/namespaces/shop') ? answer : 403));
      await expect(undoWith(async () => server.cluster())).rejects.toMatchObject({ code: 'undo-incomplete' });
    },
  );
});
