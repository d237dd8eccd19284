import { expect, it } from 'vitest';
import { substituted } from './substitute.ts';

it.each([
  ['~/.kube/dev', '/home/me/.kube/dev'],
  [`\${userHome}/.kube/dev`, '/home/me/.kube/dev'],
  [`\${env:PLACE}/x\${env:NONE}`, '/place/x'],
  ['/a/~/b', '/a/~/b'],
  ['~other/x', '~other/x'],
  ['', ''],
])('%s is %s', (text, expected) => {
  expect(substituted(text, { PLACE: '/place' }, '/home/me')).toBe(expected);
});
