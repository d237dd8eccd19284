import { expect, test } from 'vitest';
import type { Lease } from '../cluster/objects.ts';
import { reaperOf } from '../cluster/reaper-identity.ts';
import { Silence } from './silence.ts';

const second = 1000;
const begin = Date.parse('2026-05-01T10:00:00Z');

/** A Lease of 20 seconds, renewed so many seconds after the begin. */
function lease(renewed: number, holderIdentity = 'a'): Lease {
  return {
    metadata: {
      name: 'kubernetes-local-deployment-cart',
      namespace: 'shop',
      uid: 'u',
      resourceVersion: '1',
      generation: 0,
      labels: {},
      annotations: {},
      ownerReferences: [],
    },
    spec: {
      holderIdentity,
      leaseDurationSeconds: 20,
      acquireTime: '',
      renewTime: new Date(begin + renewed * second).toISOString(),
    },
  };
}

/** Looks at a Lease that was renewed last so many seconds after the begin, at this second by both clocks. */
function looks(silence: Silence, renewed: number, at: number, ahead = 0): boolean {
  return silence.isOver(lease(renewed), begin + (at + ahead) * second, at * second);
}

test('a session is given up when its Lease has expired and the delay is over too', () => {
  const silence = new Silence(30);
  expect([0, 10, 20, 40, 50, 51].map((at) => looks(silence, 0, at))).toEqual([false, false, false, false, false, true]);
});

test.each([3600, -3600, 50])('a living session is left alone if the API server is %d s ahead', (ahead) => {
  const silence = new Silence(30);
  const seen = Array.from({ length: 100 }, (_, index) => looks(silence, index * 10, index * 10, ahead));
  expect(seen).not.toContain(true);
});

test('a reaper that has just started looks for as long as a living session never is silent', () => {
  const silence = new Silence(30);
  expect([1000, 1010, 1019].map((at) => looks(silence, 0, at))).toEqual([false, false, false]);
  expect(looks(silence, 0, 1020)).toBe(true);
});

test('a renewal begins it all again, also that of another session', () => {
  const silence = new Silence(30);
  looks(silence, 0, 0);
  looks(silence, 0, 50);
  expect(looks(silence, 45, 51)).toBe(false);
  expect(silence.isOver(lease(45, 'b'), begin + 200 * second, 200 * second)).toBe(false);
  expect(silence.isOver(lease(45, 'b'), begin + 220 * second, 220 * second)).toBe(true);
});

test('what another reaper has begun is gone on with when its time is over', () => {
  const silence = new Silence(300);
  const taken = lease(0, reaperOf('a'));
  expect(silence.isOver(taken, begin, 0)).toBe(false);
  expect(silence.isOver(taken, begin + 21 * second, 21 * second)).toBe(true);
});

test('a Lease that says nothing of its renewal is never given up', () => {
  const silence = new Silence(30);
  const odd = { ...lease(0), spec: { ...lease(0).spec, renewTime: '' } };
  silence.isOver(odd, begin, 0);
  expect(silence.isOver(odd, begin + 9999 * second, 9999 * second)).toBe(false);
});

test('Leases that are gone are forgotten', () => {
  const silence = new Silence(30);
  looks(silence, 0, 0);
  silence.keep([]);
  expect(looks(silence, 0, 60)).toBe(false);
});
