import { expect, it } from 'vitest';
import { Resources } from './resources.ts';

it('frees in reverse order, each after the one before has ended', async () => {
  const freed: string[] = [];
  const resources = new Resources();
  resources.defer(() => void freed.push('first'));
  resources.defer(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    freed.push('second');
  });
  await resources.free();
  expect(freed).toEqual(['second', 'first']);
});

it('frees each once, and takes more afterwards', async () => {
  const freed: string[] = [];
  const resources = new Resources();
  resources.defer(() => void freed.push('first'));
  await resources.free();
  resources.defer(() => void freed.push('second'));
  await resources.free();
  expect(freed).toEqual(['first', 'second']);
});

it('frees the others too when one fails, and rejects with what it failed with', async () => {
  const freed: string[] = [];
  const resources = new Resources();
  resources.defer(() => void freed.push('first'));
  resources.defer(() => Promise.reject(new Error('still in use')));
  await expect(resources.free()).rejects.toThrow('still in use');
  expect(freed).toEqual(['first']);
});
