import { expect, test } from 'vitest';
import { allOrNone } from './all-or-first-problem.ts';

const never = new AbortController().signal;

test('the results come in the order of the parts', async () => {
  expect(await allOrNone([async () => 1, async () => 'two'], never)).toEqual([1, 'two']);
});

test('the first failure aborts the others, and is thrown when they have ended', async () => {
  const ended: string[] = [];
  const slow = async (signal: AbortSignal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    // Whoever undoes what was begun must not meet this.
    await new Promise((resolve) => setImmediate(resolve));
    ended.push('slow');
  };
  const failing = async () => {
    throw new Error('no room');
  };
  await expect(allOrNone([slow, failing], never)).rejects.toThrow('no room');
  expect(ended).toEqual(['slow']);
});

test('whoever gives up gets the reason', async () => {
  const given = new AbortController();
  const waiting = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const all = allOrNone([waiting], given.signal);
  given.abort(new Error('ended by the user'));
  await expect(all).rejects.toThrow('ended by the user');
});
