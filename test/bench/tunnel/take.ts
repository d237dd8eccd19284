/** Takes the samples: all ways in turn, in every round in another order. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  connectionTimes,
  type Direction,
  idleConnections,
  requestRate,
  timesBeside,
  transferRate,
  type Way,
} from './client.ts';
import type { Place } from './place.ts';
import { type Plan, wrkSecondsAt } from './plan.ts';
import { cpuSeconds, residentKilobytes, settledKilobytes } from './processes.ts';
import { Samples, type WayName } from './samples.ts';
import { type OurSide, openKubectl, openOurs, type Side } from './sides.ts';

const directions: readonly Direction[] = ['download', 'upload'];

interface Entry {
  readonly name: WayName;
  readonly way: Way;
  /** The processes of this way alone; none for direct access. */
  readonly processes: readonly number[];
}

/** Everything of the plan. Ends the sessions that it opens; the place is the caller's. */
export async function takeSamples(place: Place, plan: Plan, say: (text: string) => void): Promise<Samples> {
  const samples = new Samples();
  {
    await using ours = await openOurs(place);
    await using kubectl = await openKubectl(place);
    for (const rtt of plan.rtts) {
      await place.cluster.setRtt(rtt);
      await takeAt(rtt, waysAt(rtt, place, ours, kubectl), place, plan, samples, say);
    }
    await place.cluster.setRtt(0);
  }
  for (let run = 1; run <= plan.idleRuns; run++) {
    say(`idle connections, run ${run} of ${plan.idleRuns}`);
    await takeIdle('outbound', place, plan, samples);
    await takeIdle('inbound', place, plan, samples);
    await takeIdle('kubectl', place, plan, samples);
  }
  return samples;
}

/** Direct access stays inside the cluster, so the road's time is nothing to it: it is measured where there is none. */
function waysAt(rtt: number, place: Place, ours: OurSide, kubectl: Side): readonly Entry[] {
  const both: readonly Entry[] = [
    { name: 'outbound', way: ours.outbound, processes: ours.processes },
    { name: 'kubectl', way: kubectl.outbound, processes: kubectl.processes },
    { name: 'inbound', way: ours.inbound, processes: ours.processes },
  ];
  return rtt === 0 ? [...both, { name: 'direct', way: place.fromPod('server'), processes: [] }] : both;
}

async function takeAt(
  rtt: number,
  ways: readonly Entry[],
  place: Place,
  plan: Plan,
  samples: Samples,
  say: (text: string) => void,
): Promise<void> {
  for (let round = 0; round < plan.smallRounds; round++) {
    say(`RTT ${rtt} ms: new connections, round ${round + 1} of ${plan.smallRounds}`);
    for (const { name, way } of turned(ways, round)) {
      samples.add('connection', rtt, name, await connectionTimes(way, plan.connectionsPerRound));
      if (name === 'inbound') continue;
      for (const direction of directions) {
        const { times, rate } = await timesBeside(way, direction, plan.besidePerRound);
        samples.add(`beside ${direction}`, rtt, name, times);
        samples.add(`beside ${direction} rate`, rtt, name, [rate]);
      }
    }
  }
  const background = await cpuRate(place.passage.components, plan.restSeconds);
  for (let round = 0; round < plan.largeRounds; round++) {
    say(`RTT ${rtt} ms: transfers and HTTP, round ${round + 1} of ${plan.largeRounds}`);
    for (const entry of turned(ways, round)) {
      for (const direction of directions) {
        await takeTransfer(rtt, entry, direction, background, place, plan, samples);
        if (entry.name === 'inbound') continue;
        const { streams, manyStreamBytes } = plan;
        const rate = await transferRate(entry.way, direction, streams, manyStreamBytes);
        samples.add(`streams ${direction}`, rtt, entry.name, [rate]);
      }
      const rate = await requestRate(entry.way, plan.wrkConnections, wrkSecondsAt(rtt, plan));
      samples.add('requests', rtt, entry.name, [rate]);
    }
  }
}

async function takeTransfer(
  rtt: number,
  { name, way, processes }: Entry,
  direction: Direction,
  background: number,
  { passage }: Place,
  { streamBytes }: Plan,
  samples: Samples,
): Promise<void> {
  const before = { own: cpuOf(processes), cluster: cpuOf(passage.components), at: performance.now() };
  samples.add(direction, rtt, name, [await transferRate(way, direction, 1, streamBytes)]);
  if (processes.length === 0) return;
  const gigabytes = streamBytes / 1e9;
  const cluster = cpuOf(passage.components) - before.cluster - (background * (performance.now() - before.at)) / 1000;
  samples.add(`${direction} own CPU`, rtt, name, [(cpuOf(processes) - before.own) / gigabytes]);
  samples.add(`${direction} cluster CPU`, rtt, name, [cluster / gigabytes]);
}

/** In a session of its own, because a process keeps memory that it once had. */
async function takeIdle(name: 'outbound' | 'inbound' | 'kubectl', place: Place, plan: Plan, samples: Samples) {
  const side: Side & Partial<OurSide> = name === 'kubectl' ? await openKubectl(place) : await openOurs(place);
  await using _ = side;
  const way = name === 'inbound' && side.inbound ? side.inbound : side.outbound;
  const [daemon = 0, agent] = side.processes;
  // Code that has never run is no memory of a connection.
  await connectionTimes(way, plan.connectionsPerRound);
  if (name === 'outbound' && agent !== undefined) await takeRest(daemon, agent, plan, samples);
  const before = await settledKilobytes(side.processes);
  await using idle = idleConnections(way);
  for (const count of plan.idleSteps) {
    await idle.open(count);
    const now = await settledKilobytes(side.processes);
    const [ofDaemon = 0, ofAgent = 0] = now.map((each, index) => (each - (before[index] ?? 0)) / count);
    samples.add('idle both', count, name, [ofDaemon + ofAgent]);
    samples.add('idle daemon', count, name, [ofDaemon]);
    if (agent !== undefined) samples.add('idle agent', count, name, [ofAgent]);
  }
}

async function takeRest(daemon: number, agent: number, { restSeconds }: Plan, samples: Samples): Promise<void> {
  await settledKilobytes([daemon, agent]);
  samples.add('rest agent CPU', 0, 'outbound', [(await cpuRate([agent], restSeconds)) * 100]);
  samples.add('rest agent memory', 0, 'outbound', [residentKilobytes(agent) / 1024]);
  samples.add('rest daemon memory', 0, 'outbound', [residentKilobytes(daemon) / 1024]);
}

/** CPU seconds a second while nothing is asked of the processes. */
async function cpuRate(pids: readonly number[], seconds: number): Promise<number> {
  const [before, at] = [cpuOf(pids), performance.now()];
  await delay(seconds * 1000);
  return ((cpuOf(pids) - before) / (performance.now() - at)) * 1000;
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

function turned<T>(all: readonly T[], by: number): readonly T[] {
  const first = by % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}
