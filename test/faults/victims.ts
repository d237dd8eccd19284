/** The processes that are struck, and the blows. */
import { setTimeout as delay } from 'node:timers/promises';
import type { TestCluster } from '../cluster/cluster.ts';
import type { Api } from './api.ts';
import type { Blow, OwnVictim, SharedVictim } from './cells.ts';
import { daemonOf } from './journal-watch.ts';
import type { Lane } from './lane.ts';
import { agentProcess, processesOf, signal } from './processes.ts';
import type { FaultySession } from './session.ts';

const stoppedMilliseconds = 60_000;
/** How long a component that was ended is away. */
const awayMilliseconds = 5_000;

/** Strikes a process of one session, whose daemon then goes on; resolves when the blow is over. */
export async function strikeOwn(
  victim: OwnVictim,
  blow: Blow,
  session: FaultySession,
  lane: Lane,
  api: Api,
): Promise<void> {
  const pid = await pidOf(victim, session, lane, api);
  if (blow !== 'SIGKILL' && blow !== 'SIGTERM' && blow !== 'SIGSTOP')
    throw new Error(`${victim} does not know ${blow}`);
  if (!signal(pid, blow)) throw new Error(`${victim} (${pid}) had ended before it was struck`);
  if (blow !== 'SIGSTOP') {
    session.release();
    return;
  }
  if (victim !== 'daemon') session.release();
  await delay(stoppedMilliseconds);
  signal(pid, 'SIGCONT');
  session.release();
}

async function pidOf(victim: OwnVictim, { client }: FaultySession, lane: Lane, api: Api): Promise<number> {
  const pid = await find(victim, client.pid, lane, api);
  if (pid === undefined) throw new Error(`there is no ${victim} to be struck`);
  return pid;
}

async function find(victim: OwnVictim, adapter: number, lane: Lane, api: Api): Promise<number | undefined> {
  switch (victim) {
    case 'adapter':
      return adapter;
    case 'daemon':
      return daemonOf(lane);
    case 'helper':
      // Ports below 1024 are held by a process of its own, which the helper starts.
      return processesOf(lane.state).find(({ command }) => / helper (?!relay)/.test(command))?.pid;
    case 'agent': {
      const pods = await api.list(`/api/v1/namespaces/${lane.namespace}/pods`);
      const uids = pods
        .filter(({ spec }) => JSON.stringify(spec).includes(lane.place.agentImage))
        .filter(({ metadata }) => !metadata.name.includes('reaper'))
        .flatMap(({ metadata }) => metadata.uid ?? []);
      return uids.map(agentProcess).find((pid) => pid !== undefined);
    }
  }
}

const componentOf = { 'API server': 'kube-apiserver', kubelet: 'kubelet', etcd: 'etcd' } as const;
const cutOf = {
  'frozen 60 s': { milliseconds: 60_000, reset: false },
  'frozen 2 s': { milliseconds: 2_000, reset: false },
  'reset once': { milliseconds: 500, reset: true },
} as const;

/** Strikes what all sessions share while they stand at their steps, lets them go on, and heals it; resolves when it is well. */
export async function strikeShared(
  victim: SharedVictim,
  blow: Blow,
  sessions: readonly FaultySession[],
  cluster: TestCluster,
): Promise<void> {
  const release = () => {
    for (const session of sessions) session.release();
  };
  if (victim === 'network') {
    if (blow !== 'frozen 60 s' && blow !== 'frozen 2 s' && blow !== 'reset once') throw new Error(`no cut is ${blow}`);
    const { milliseconds, reset } = cutOf[blow];
    await cluster.cut(milliseconds, { reset });
    release();
    await delay(milliseconds);
    await healed(cluster);
    return;
  }
  if (blow !== 'SIGKILL' && blow !== 'SIGTERM' && blow !== 'SIGSTOP')
    throw new Error(`${victim} does not know ${blow}`);
  const component = componentOf[victim];
  const pid = await componentPid(cluster, component);
  if (!signal(pid, blow)) throw new Error(`${component} does not run`);
  release();
  if (blow === 'SIGSTOP') {
    await delay(stoppedMilliseconds);
    signal(pid, 'SIGCONT');
  } else {
    await ended(cluster, component);
    await delay(awayMilliseconds);
    await cluster.restart(component);
  }
  await healed(cluster);
}

async function componentPid(cluster: TestCluster, component: string): Promise<number> {
  const status = await cluster.status();
  const components = status.state === 'stopped' ? [] : status.detail.node.components;
  const pid = components.find(({ name }) => name === component)?.outsidePid;
  if (!pid) throw new Error(`${component} does not run`);
  return pid;
}

/** An API server that is asked to end lets long requests come to theirs, for up to a minute. */
async function ended(cluster: TestCluster, component: string): Promise<void> {
  const end = performance.now() + healMilliseconds;
  for (;;) {
    const status = await cluster.status();
    const components = status.state === 'stopped' ? [] : status.detail.node.components;
    if (components.some(({ name, state }) => name === component && state === 'ended')) return;
    if (performance.now() > end) throw new Error(`${component} does not end`);
    await delay(200);
  }
}

const healMilliseconds = 120_000;

async function healed(cluster: TestCluster): Promise<void> {
  const end = performance.now() + healMilliseconds;
  for (;;) {
    const status = await cluster.status();
    if (status.state === 'running' && status.detail.road.state === 'open') return;
    if (performance.now() > end) throw new Error(`the cluster does not get well: ${JSON.stringify(status)}`);
    await delay(500);
  }
}
