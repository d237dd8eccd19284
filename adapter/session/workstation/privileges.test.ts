import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import type { HelperOptions, PrivilegedHelper } from '../../network/helper/helper-client.ts';
import { Privileges } from './privileges.ts';

/** Privileges whose helpers start when the test says so. */
function privileges() {
  const starts: { readonly options: HelperOptions; succeed(): { die(): void }; fail(why: Error): void }[] = [];
  const start = (options: HelperOptions) => {
    const started = Promise.withResolvers<PrivilegedHelper>();
    options.signal.addEventListener('abort', () => started.reject(options.signal.reason));
    starts.push({
      options,
      succeed: () => {
        const closed = Promise.withResolvers<void>();
        started.resolve({ pid: starts.length, closed: closed.promise } as PrivilegedHelper);
        return { die: closed.resolve };
      },
      fail: started.reject,
    });
    return started.promise;
  };
  return {
    starts,
    of: new Privileges({ log: silentLog, program: ['x'], consent: async () => 'granted' as const, start }),
  };
}

const patient = () => new AbortController().signal;

describe('the helper of a session', () => {
  it('is started once for all who ask, and anew when it is gone', async () => {
    const { of, starts } = privileges();
    const both = Promise.all([of.helper(patient()), of.helper(patient())]);
    const running = starts[0]?.succeed();
    const [first, second] = await both;
    expect(second).toBe(first);
    expect(of.running).toBe(first);
    running?.die();
    await turn();
    expect(of.running).toBeUndefined();
    const next = of.helper(patient());
    starts[1]?.succeed();
    expect((await next).pid).toBe(2);
    expect(starts).toHaveLength(2);
  });

  it('is still started for the undo when the session that asked first has given up', async () => {
    const { of, starts } = privileges();
    const session = new AbortController();
    const recovering = of.helper(session.signal);
    const undoing = of.helper(patient());
    session.abort();
    await expect(recovering).rejects.toThrow(/aborted/);
    expect(starts[0]?.options.signal.aborted).toBe(false);
    starts[0]?.succeed();
    expect((await undoing).pid).toBe(1);
  });

  it('is started no further when all have given up, and anew for the next who asks', async () => {
    const { of, starts } = privileges();
    const session = new AbortController();
    const alone = of.helper(session.signal);
    session.abort();
    await expect(alone).rejects.toThrow(/aborted/);
    expect(starts[0]?.options.signal.aborted).toBe(true);
    const next = of.helper(patient());
    starts[1]?.succeed();
    expect((await next).pid).toBe(2);
  });

  it('is given up only when what its start had made is removed', async () => {
    const removed = Promise.withResolvers<void>();
    const start = async ({ signal }: HelperOptions): Promise<PrivilegedHelper> => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await removed.promise;
      throw signal.reason;
    };
    const of = new Privileges({ log: silentLog, program: ['x'], consent: async () => 'granted' as const, start });
    const session = new AbortController();
    let isOver = false;
    const asking = of.helper(session.signal).finally(() => {
      isOver = true;
    });
    session.abort();
    await turn();
    expect(isOver).toBe(false);
    removed.resolve();
    await expect(asking).rejects.toThrow(/aborted/);
  });

  it('is tried again after a failure, and not for who has given up before', async () => {
    const { of, starts } = privileges();
    const failing = of.helper(patient());
    starts[0]?.fail(new Error('no'));
    await expect(failing).rejects.toThrow('no');
    await expect(of.helper(AbortSignal.abort())).rejects.toThrow(/aborted/);
    expect(starts).toHaveLength(1);
    const next = of.helper(patient());
    starts[1]?.succeed();
    await next;
  });
});
