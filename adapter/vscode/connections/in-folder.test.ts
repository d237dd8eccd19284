import { expect, it } from 'vitest';
import { parseLaunchConfiguration } from '../../launch/configuration.ts';
import { inFolder } from './in-folder.ts';

const configuration = (delegate?: object) =>
  parseLaunchConfiguration({ target: 'cart', ...(delegate && { delegate }) }, 'the test');

it.each([
  ['the folder', undefined, '/work/shop'],
  ['the folder', { type: 'node' }, '/work/shop'],
  ['the working folder of the delegate', { type: 'node', cwd: 'cart' }, '/work/shop/cart'],
  ['the working folder of the delegate', { type: 'node', cwd: '/elsewhere' }, '/elsewhere'],
])('relative paths mean %s', (_, delegate, expected) => {
  expect(inFolder(configuration(delegate), '/work/shop').delegate?.cwd).toBe(expected);
});

it('leaves the rest of the delegate as it is', () => {
  const { delegate } = inFolder(configuration({ type: 'node', program: 'web.js' }), '/work/shop');
  expect(delegate).toMatchObject({ type: 'node', program: 'web.js' });
});
