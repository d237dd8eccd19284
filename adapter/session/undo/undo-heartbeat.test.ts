import { expect, it, vi } from 'vitest';
import { UndoHeartbeat } from './undo-heartbeat.ts';

it('beats, also after a beat that failed, and lets the last one end before it is over', async () => {
  let begun = 0;
  let ended = 0;
  const heartbeat = new UndoHeartbeat(async (signal) => {
    begun += 1;
    if (begun === 1) throw new Error('the cluster is away');
    if (begun < 3) return;
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    ended += 1;
  }, 5);
  await vi.waitFor(() => expect(begun).toBe(3));
  await heartbeat[Symbol.asyncDispose]();
  expect({ begun, ended }).toEqual({ begun: 3, ended: 1 });
});
