import { expect, it } from 'vitest';
import type { EverybodysSession } from '../cluster/everybodys-sessions.ts';
import { type ClusterStatus, describeClusterStatus } from './cluster-status.ts';

const alive: EverybodysSession = {
  workload: 'deployment/cart',
  lease: 'kubernetes-local-deployment-cart',
  session: 'a1',
  holder: 'anna on laptop',
  since: '2026-11-28T10:00:00.000000Z',
  lastHeartbeat: '2026-11-28T11:59:57.000000Z',
  alive: true,
  replaced: true,
  guests: [{ holder: 'boris on desk', since: '2026-11-28T11:00:00.000Z' }],
  takeover: undefined,
  reaper: 'kubernetes-local-reaper-deployment-cart',
};
const dead: EverybodysSession = {
  ...alive,
  workload: 'deployment/web',
  session: 'b2',
  lastHeartbeat: '2026-11-28T11:00:00.000000Z',
  alive: false,
  guests: [],
  takeover: { holder: 'boris on desk', since: '2026-11-28T11:58:00.000Z' },
  reaper: undefined,
};
const abandoned: EverybodysSession = {
  ...dead,
  workload: 'statefulset/db',
  session: 'c3',
  lease: undefined,
  holder: undefined,
  lastHeartbeat: undefined,
  takeover: undefined,
};

function shown(sessions: readonly EverybodysSession[], unlisted: readonly string[] = [], width = 1_000): string {
  const status: ClusterStatus = {
    context: 'dev',
    namespace: 'shop',
    now: '2026-11-28T12:00:00.000Z',
    sessions,
    unlisted,
  };
  return describeClusterStatus(status, width);
}

it('says of each who has it, since when, and whether it lives; of a dead one how it is undone', () => {
  expect(shown([alive, dead, abandoned])).toBe(
    [
      'deployment/cart: anna on laptop since 2026-11-28T10:00:00.000000Z, alive, last heartbeat 3 seconds ago',
      '  session a1',
      '  shared with boris on desk since 2026-11-28T11:00:00.000Z',
      '  kubernetes-local-reaper-deployment-cart undoes it by itself if that computer stays away',
      'deployment/web: anna on laptop since 2026-11-28T10:00:00.000000Z, dead, last heartbeat 1 hour ago',
      '  session b2',
      '  boris on desk takes it over, since 2026-11-28T11:58:00.000Z',
      '  undo it: kubernetes-local restore --namespace shop --target deployment/web',
      'statefulset/db: replaced since 2026-11-28T10:00:00.000000Z, but nobody holds it: it was left by a session that is gone',
      '  session c3',
      '  undo it: kubernetes-local restore --namespace shop --target statefulset/db',
      '',
    ].join('\n'),
  );
});

it('says that a reaper is at work', () => {
  expect(shown([{ ...alive, session: 'reaper-of-a1' }])).toMatch(
    /alive, last heartbeat 3 seconds ago\n {2}its reaper is undoing it\n$/,
  );
});

it('says that there is none, and what it was not allowed to see', () => {
  expect(shown([])).toBe('No session in shop of dev.\n');
  expect(shown([], ['daemonsets', 'leases'])).toBe(
    'No session in shop of dev.\nYou may not list daemonsets, leases here, so something may be missing.\n',
  );
});

it('is no wider than the terminal where words allow it', () => {
  const lines = shown([alive, dead], ['leases'], 60).trimEnd().split('\n');
  const tooWide = lines.filter((line) => line.length > 60 && line.trim().includes(' '));
  expect(tooWide).toEqual([]);
  expect(lines.length).toBeGreaterThan(9);
});
