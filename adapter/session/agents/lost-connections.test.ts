import { expect, onTestFinished, test, vi } from 'vitest';
import type { Notice } from '../protocol.ts';
import { type Carrier, LostConnections } from './lost-connections.ts';

/** So many pods, all reached. */
function setUp(count: number) {
  const pods = Array.from({ length: count }, (_, index) => ({ pod: `cart-${index}`, answering: true }));
  const all: Carrier[] = [...pods];
  const notices: Notice[] = [];
  const looked = vi.fn();
  const connections = new LostConnections({
    tunnels: {
      get all() {
        looked();
        return all;
      },
    },
    notice: (notice) => notices.push(notice),
    together: 20,
  });
  onTestFinished(() => connections[Symbol.dispose]());
  /** Their tunnels are gone. */
  const lose = (...indices: readonly number[]) => {
    for (const index of indices) {
      const carrier = pods[index];
      if (carrier === undefined) throw new Error('there is no such pod');
      connections.lost(carrier);
      all.splice(all.indexOf(carrier), 1);
    }
  };
  return { pods, lose, notices, looked };
}

test('is told once, of all pods that were lost together', async () => {
  const { lose, notices } = setUp(3);
  lose(0, 1);
  await vi.waitFor(() => expect(notices).toHaveLength(1));
  expect(notices[0]?.text).toMatch(/^Connections through pods cart-0, cart-1 were reset, .* Those through the other /);
});

test('is told again of another pod that is lost later', async () => {
  const { lose, notices } = setUp(3);
  lose(0);
  await vi.waitFor(() => expect(notices).toHaveLength(1));
  lose(1);
  await vi.waitFor(() => expect(notices).toHaveLength(2));
  expect(notices.map(({ text }) => text.slice(0, 31))).toEqual([
    'Connections through pod cart-0 ',
    'Connections through pod cart-1 ',
  ]);
});

test('is not told if no other pod goes on: then it is the network', async () => {
  const { pods, lose, notices, looked } = setUp(3);
  const last = pods[2];
  if (last !== undefined) last.answering = false;
  lose(0, 1);
  // It looked when the first was lost, and once more when the time was over.
  await vi.waitFor(() => expect(looked).toHaveBeenCalledTimes(2));
  expect(notices).toEqual([]);
});

test('is not told of the only pod', async () => {
  const { lose, notices, looked } = setUp(1);
  lose(0);
  await vi.waitFor(() => expect(looked).toHaveBeenCalledTimes(2));
  expect(notices).toEqual([]);
});
