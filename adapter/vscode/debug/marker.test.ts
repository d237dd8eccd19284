import { expect, it } from 'vitest';
import { isOfChild, type Marker, markerOf } from './marker.ts';

it.each<Marker>([
  { step: 'connect', id: '1', written: 'w', configuration: { target: 'cart' }, env: { A: '1' }, envFile: '.env' },
  { step: 'tasks', id: '2', tasks: ['connect cart'] },
  { step: 'ready', id: '3', keys: ['k'], note: 'Connected.' },
])('is found in a configuration: $step', (marker) => {
  expect(markerOf({ type: 'node', __kubernetesLocal: marker })).toEqual(marker);
});

it.each([
  ['without one', { type: 'node' }],
  ['with the ticket of a child session of our own debug adapter', { __kubernetesLocal: { token: 'x' } }],
])('is not found in a configuration %s', (_, configuration) => {
  expect(markerOf(configuration)).toBeUndefined();
});

it('knows further processes of a program by what js-debug writes into their configurations', () => {
  expect(isOfChild({ type: 'pwa-node', __pendingTargetId: '1' })).toBe(true);
  expect(isOfChild({ type: 'pwa-node', __parentId: '1' })).toBe(true);
  expect(isOfChild({ type: 'pwa-node' })).toBe(false);
});
