import { expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { parseTarget } from './kinds.ts';

test.each([
  ['cart', undefined, 'cart'],
  ['service/cart', 'Service', 'cart'],
  ['svc/cart', 'Service', 'cart'],
  ['services/cart', 'Service', 'cart'],
  ['deployment/cart', 'Deployment', 'cart'],
  ['deploy/cart', 'Deployment', 'cart'],
  ['Deployment/cart', 'Deployment', 'cart'],
  ['deployments.apps/cart', 'Deployment', 'cart'],
  ['sts/cart', 'StatefulSet', 'cart'],
  ['ds/cart', 'DaemonSet', 'cart'],
  ['po/cart', 'Pod', 'cart'],
  [' pods/cart ', 'Pod', 'cart'],
])('%s is read as kubectl reads it', (target, kind, name) => {
  expect(parseTarget(target)).toEqual({ kind, name });
});

test.each([
  ['', 'bad-value', /KIND\/NAME/],
  ['service/', 'bad-value', /KIND\/NAME/],
  ['/cart', 'bad-value', /KIND\/NAME/],
  ['a/b/c', 'bad-value', /KIND\/NAME/],
  ['deplyment/cart', 'bad-value', /Did you mean "deployment\/cart"/],
  ['job/cart', 'target-unsupported', /Deployment, StatefulSet/],
  ['rs/cart', 'target-unsupported', /owner/],
])('%s is refused', (target, code, message) => {
  const parse = () => parseTarget(target);
  expect(parse).toThrow(Problem);
  expect(parse).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
});
