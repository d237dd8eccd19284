import { expect, it } from 'vitest';
import type { CallersStatus } from '../session/protocol.ts';
import { describeCallers } from './callers-view.ts';

type Shown = CallersStatus['newest'][number];
const since = new Date(2026, 0, 2, 3, 4, 5);
const web: Shown = {
  source: { address: '10.244.0.7', port: 40_212 },
  name: 'web-6d5f-x2x9k',
  pod: 'cart-7c9-abcde',
  containerPort: 8080,
  seenAs: { address: '127.0.0.1', port: 51_234 },
  since: since.toISOString(),
};
const { name: _name, ...nameless } = web;
const other: Shown = { ...nameless, source: { address: 'fd00::7', port: 1 }, seenAs: { address: '::1', port: 2 } };

it('shows the pod that calls, and the address of one that is no pod of the namespace', () => {
  expect(describeCallers({ open: 2, newest: [web, other] }, Number.POSITIVE_INFINITY)).toEqual([
    '2 open connections from the cluster',
    'CALLER          ADDRESS           PORT                    SEEN BY THE PROGRAM AS  SINCE',
    'web-6d5f-x2x9k  10.244.0.7:40212  8080 of cart-7c9-abcde  127.0.0.1:51234         03:04:05',
    '-               [fd00::7]:1       8080 of cart-7c9-abcde  [::1]:2                 03:04:05',
  ]);
});

it('counts those that are not shown', () => {
  const lines = describeCallers({ open: 1_000, newest: [web] }, 80);
  expect(lines[0]).toBe('1000 open connections from the cluster');
  expect(lines.at(-1)).toBe('and 999 older ones');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});

it('says that there is none, and of one that it is one', () => {
  expect(describeCallers({ open: 0, newest: [] }, 80)).toEqual(['no open connection from the cluster']);
  expect(describeCallers({ open: 1, newest: [web] }, 120)[0]).toBe('1 open connection from the cluster');
  const unknown = { ...web, source: { address: '', port: 0 } };
  expect(describeCallers({ open: 1, newest: [unknown] }, 120)[2]).toContain('unknown');
});
