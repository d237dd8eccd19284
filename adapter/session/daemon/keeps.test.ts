import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { startFamily } from '../../processes/test-family.ts';
import { Guard } from './guard.ts';
import { Keeps } from './keeps.ts';

describe('for a restart', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('keeps for the time asked for', async () => {
    const over = vi.fn();
    const keeps = new Keeps(silentLog, over);
    await keeps.add({ for: 'restart', ms: 15_000 }, new Guard(silentLog));
    expect(keeps.status).toEqual([{ for: 'restart' }]);
    vi.advanceTimersByTime(14_999);
    expect(keeps.any).toBe(true);
    expect(over).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(keeps.any).toBe(false);
    expect(over).toHaveBeenCalledOnce();
  });

  it('keeps for thirty seconds at most', async () => {
    const over = vi.fn();
    const keeps = new Keeps(silentLog, over);
    await keeps.add({ for: 'restart', ms: 3_600_000 }, new Guard(silentLog));
    vi.advanceTimersByTime(30_000);
    expect(over).toHaveBeenCalledOnce();
  });

  it('ends without a word when the next client comes', async () => {
    const over = vi.fn();
    const keeps = new Keeps(silentLog, over);
    await keeps.add({ for: 'restart', ms: 15_000 }, new Guard(silentLog));
    keeps.clientCame();
    expect(keeps.any).toBe(false);
    vi.advanceTimersByTime(60_000);
    expect(over).not.toHaveBeenCalled();
  });
});

describe('for a program', () => {
  it('keeps until the last process of it has ended, whoever comes meanwhile', async () => {
    using family = await startFamily();
    const over = Promise.withResolvers<void>();
    const guard = new Guard(silentLog);
    guard.started({ pid: family.grandchild, role: 'program' });
    const keeps = new Keeps(silentLog, over.resolve);
    await keeps.add({ for: 'program' }, guard);
    keeps.clientCame();
    expect(keeps.status).toEqual([{ for: 'program', pids: [family.grandchild] }]);
    process.kill(family.grandchild, 'SIGKILL');
    await over.promise;
    expect(keeps.any).toBe(false);
  });

  it('keeps nothing for a program that has ended', async () => {
    const over = vi.fn();
    const keeps = new Keeps(silentLog, over);
    await keeps.add({ for: 'program' }, new Guard(silentLog));
    expect(keeps.any).toBe(false);
  });

  it('lets go when the session ends anyway', async () => {
    using family = await startFamily();
    const guard = new Guard(silentLog);
    guard.started({ pid: family.pid, role: 'program' });
    const keeps = new Keeps(silentLog, () => {});
    await keeps.add({ for: 'program' }, guard);
    keeps.clear();
    expect(keeps.any).toBe(false);
  });
});

describe('as the user wishes', () => {
  beforeEach(() => void vi.useFakeTimers({ now: new Date('2026-11-28T12:00:00Z') }));
  afterEach(() => void vi.useRealTimers());

  it('stands whoever comes and goes, until the time is over', async () => {
    const over = vi.fn();
    const keeps = new Keeps(silentLog, over);
    await keeps.add({ for: 'hold', ms: 3_600_000 }, new Guard(silentLog));
    keeps.clientCame();
    expect(keeps.status).toEqual([{ for: 'hold', until: '2026-11-28T13:00:00.000Z' }]);
    vi.advanceTimersByTime(3_599_999);
    expect(keeps.isHeld).toBe(true);
    vi.advanceTimersByTime(1);
    expect(keeps.any).toBe(false);
    expect(over).toHaveBeenCalledOnce();
  });

  it('is what was said last', async () => {
    const over = vi.fn();
    const keeps = new Keeps(silentLog, over);
    await keeps.add({ for: 'hold', ms: 3_600_000 }, new Guard(silentLog));
    keeps.hold(5_000);
    expect(keeps.status).toHaveLength(1);
    vi.advanceTimersByTime(5_000);
    expect(over).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(3_600_000);
    expect(over).toHaveBeenCalledOnce();
  });

  it('stands for a week at most', () => {
    const keeps = new Keeps(silentLog, () => {});
    keeps.hold(Number.MAX_SAFE_INTEGER);
    expect(keeps.status).toEqual([{ for: 'hold', until: '2026-12-05T12:00:00.000Z' }]);
    keeps.clear();
  });

  it('lets a restart go on when it is dropped', async () => {
    const keeps = new Keeps(silentLog, () => {});
    await keeps.add({ for: 'restart', ms: 15_000 }, new Guard(silentLog));
    keeps.hold(60_000);
    keeps.dropHold();
    expect(keeps.status).toEqual([{ for: 'restart' }]);
    keeps.clear();
  });
});
