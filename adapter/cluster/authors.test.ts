import { expect, test } from 'vitest';
import { authorOf } from './authors.ts';

const image = ['spec', 'template', 'spec', 'containers', { name: 'cart' }, 'image'] as const;
const owning = {
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"cart"}': { 'f:image': {} } } } } },
};

function object(...managedFields: readonly object[]): object {
  return { name: 'cart', managedFields };
}

const ours = { manager: 'kubernetes-local', operation: 'Update', time: '2026-01-01T00:00:09Z', fieldsV1: owning };
const theirs = { manager: 'argocd-controller', operation: 'Apply', time: '2026-01-01T00:00:05Z', fieldsV1: owning };
const other = { manager: 'kubectl-set', operation: 'Update', time: '2026-01-01T00:00:07Z', fieldsV1: { 'f:spec': {} } };

test('whoever wrote the very field between the two states is the author, though others wrote later', () => {
  const author = authorOf(object(ours), object(ours, theirs, other), image);
  expect(author).toEqual({ manager: 'argocd-controller', time: '2026-01-01T00:00:05Z' });
});

test('a tool that owned the field before leaves no new entry when it sets it again', () => {
  expect(authorOf(object(theirs, other), object(theirs, other), image)?.manager).toBe('argocd-controller');
});

test('a field that was taken away is nobody’s: then it is who wrote anything', () => {
  expect(authorOf(object(ours), object(ours, other), ['spec', 'replicas'])?.manager).toBe('kubectl-set');
});

test('findings of controllers and our own writes are nobody’s', () => {
  const findings = { ...theirs, manager: 'kube-controller-manager', subresource: 'status' };
  expect(authorOf(object(), object(ours, findings), image)).toBeUndefined();
});

test('an API server that keeps no such record names nobody', () => {
  expect(authorOf({}, {}, image)).toBeUndefined();
  expect(authorOf({ managedFields: 7 }, { managedFields: 'x' }, image)).toBeUndefined();
});
