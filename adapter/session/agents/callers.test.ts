import { expect, it } from 'vitest';
import { type Caller, Callers } from './callers.ts';

const caller = (port: number): Caller => ({
  source: { address: '10.244.0.17', port },
  pod: 'cart-1',
  containerPort: 8080,
  seenAs: { address: '127.0.0.1', port: port + 1 },
  since: new Date(),
});

it('tells the newest of those that are open, and how many there are', () => {
  const callers = new Callers();
  const all = Array.from({ length: 30 }, (_, index) => caller(index));
  const opened = all.map((each) => callers.add(each));
  expect(callers.count).toBe(30);
  expect(callers.newest(20)).toEqual(all.slice(10).reverse());
  opened[29]?.[Symbol.dispose]();
  opened[0]?.[Symbol.dispose]();
  opened[0]?.[Symbol.dispose]();
  expect(callers.count).toBe(28);
  expect(callers.newest(1)).toEqual([all[28]]);
});
