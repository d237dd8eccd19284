import { expect, test } from 'vitest';
import { compareVersions, isInRange } from './version-range.ts';

test('versions are in the order of the specification', () => {
  const ordered = [
    ...['0.9.9', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11'],
    ...['1.0.0-rc.1', '1.0.0', '1.0.10', '1.2.0', '1.10.0', '2.0.0-0', '2.0.0'],
  ];
  expect(ordered.toReversed().sort(compareVersions)).toEqual(ordered);
  expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(0);
});

test.each([
  ['1.2.3', '<1.2.3', false],
  ['1.2.3', '<=1.2.3', true],
  ['1.2.3', '>=1.0.0 <1.2.3', false],
  ['1.2.2', '>=1.0.0 <1.2.3', true],
  ['0.9.0', '>=1.0.0 <1.2.3', false],
  ['2.0.1', '<1.0.0 || >=2.0.0 <2.0.3', true],
  ['2.0.3', '<1.0.0 || >=2.0.0 <2.0.3', false],
  ['10.0.0', '>9.0.0', true],
  ['1.2.3-rc.1', '<1.2.3', true],
  ['4.4.2', '=4.4.2', true],
])('%s in %s: %s', (version, range, expected) => {
  expect(isInRange(version, range)).toBe(expected);
});

test.each(['', '1.2.3', '^1.0.0', '<1.x', '>=1'])('the range %j cannot be read', (range) => {
  expect(() => isInRange('1.0.0', range)).toThrow('is no');
});
