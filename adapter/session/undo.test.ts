import { describe, expect, it } from 'vitest';
import type { PrivilegedHelper } from '../network/helper/helper-client.ts';
import { Problem } from '../problem.ts';
import type { Act } from './journal.ts';
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
  { act: 'hosts', file: '/etc/hosts' },
];

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
    acts,
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

  it('is incomplete if no helper stays alive', async () => {
    await expect(undone([false, false])).rejects.toMatchObject({ code: 'undo-incomplete' });
  });
});
