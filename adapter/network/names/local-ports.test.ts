import { expect, it } from 'vitest';
import { chooseLocalPort } from './local-ports.ts';

it('the local port is the same each time', async () => {
  // printf shop/prices:80 | sha256sum, its first four bytes mod 10000: a new release must not move the ports.
  expect(await chooseLocalPort('shop/prices', 80, () => true)).toBe(29445);
  expect(await chooseLocalPort('shop/prices', 81, () => true)).toBe(23457);
});

it('the local port is the next one where it is not free, and begins again at 20000', async () => {
  expect(await chooseLocalPort('shop/prices', 80, async (port) => port > 29445)).toBe(29446);
  expect(await chooseLocalPort('shop/prices', 80, (port) => port < 29445)).toBe(20000);
  await expect(chooseLocalPort('shop/prices', 80, () => false)).rejects.toThrow(RangeError);
});
