import { describe, expect, it } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { CallerNames } from './caller-names.ts';

const never = new AbortController().signal;
const pods: Readonly<Record<string, string>> = { '10.244.0.7': 'web-1', '10.244.0.8': 'web-2' };

/** Names from `pods`, and what was asked for them. */
function setUp(podAt = async (address: string): Promise<string | undefined> => pods[address]) {
  const asked: string[] = [];
  const names = new CallerNames({
    podAt: (address) => {
      asked.push(address);
      return podAt(address);
    },
    log: silentLog,
  });
  return { names, asked };
}

describe('look', () => {
  it('asks once for each address, also for one that is no pod', async () => {
    const { names, asked } = setUp();
    await names.look(['10.244.0.7', '192.0.2.1', '10.244.0.7', ''], never);
    await names.look(['192.0.2.1', '10.244.0.8', '10.244.0.7'], never);
    expect(asked).toEqual(['10.244.0.7', '192.0.2.1', '10.244.0.8']);
    expect(['10.244.0.7', '192.0.2.1', '10.244.0.8', ''].map((address) => names.of(address))).toEqual([
      'web-1',
      undefined,
      'web-2',
      undefined,
    ]);
  });

  it('has no name if the cluster does not answer, and asks again', async () => {
    let works = false;
    const { names } = setUp(async (address) => {
      if (!works) throw new Error('cluster-unreachable');
      return pods[address];
    });
    await names.look(['10.244.0.7'], never);
    expect(names.of('10.244.0.7')).toBeUndefined();
    works = true;
    await names.look(['10.244.0.7'], never);
    expect(names.of('10.244.0.7')).toBe('web-1');
  });

  it('ends with the session', async () => {
    const names = new CallerNames({
      podAt: (_address, signal) =>
        new Promise((_, reject) => {
          if (signal.aborted) reject(signal.reason);
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
      log: silentLog,
    });
    const ended = new AbortController();
    const looking = names.look(['10.244.0.7'], ended.signal);
    ended.abort(new Error('the session ends'));
    await looking;
    expect(names.of('10.244.0.7')).toBeUndefined();
  });
});
