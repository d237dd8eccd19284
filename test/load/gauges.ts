/** What daemon and agent of a session hold: memory, descriptors, sockets and streams. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { runCommand } from '../e2e/command-line.ts';
import { agentProcess } from '../faults/processes.ts';
import type { World } from '../stage/world.ts';

export interface Both<Value> {
  readonly daemon: Value;
  readonly agent: Value;
}

export interface Held {
  readonly streams: number;
  readonly descriptors: Both<number>;
  readonly sockets: Both<number>;
}

export interface Gauges {
  held(): Promise<Held>;
  /** Bytes of resident memory now. */
  memory(): Both<number>;
  /** From now on `peak` tells the highest since. */
  forgetPeak(): void;
  /** The highest resident memory in bytes, as the kernel has noted it. */
  peak(): Both<number>;
  /** An Error if the agent is not the process any more that it was, or its pod has had a restart. */
  sameAgent(): Promise<void>;
}

const statusSchema = z.tuple([
  z.object({
    status: z.object({ pid: z.int(), connection: z.object({ pods: z.array(z.object({ streams: z.int() })) }) }),
  }),
]);

const podsSchema = z.object({
  items: z.tuple([
    z.object({
      metadata: z.object({ uid: z.string() }),
      status: z.object({ containerStatuses: z.array(z.object({ restartCount: z.int() })) }),
    }),
  ]),
});

/** Gauges of the one session of this world, whose workload has one pod with this label `app`. */
export async function gaugesOf(world: World, app: string): Promise<Gauges> {
  const status = async () => {
    const { stdout } = await runCommand(world, ['status', '--json']);
    return statusSchema.parse(JSON.parse(stdout))[0].status;
  };
  const pod = async () => {
    const list = ['get', 'pods', '-n', world.shop.namespace, '-l', `app=${app}`];
    return podsSchema.parse(await world.shop.kubectl.json(list)).items[0];
  };
  const { uid } = (await pod()).metadata;
  const { pid: daemon } = await status();
  const agent = agentProcess(uid);
  if (agent === undefined) throw new Error(`the agent of pod ${uid} is no process of this computer`);
  const both = <Value>(of: (pid: number) => Value): Both<Value> => ({ daemon: of(daemon), agent: of(agent) });
  return {
    held: async () => ({
      streams: (await status()).connection.pods.reduce((sum, { streams }) => sum + streams, 0),
      descriptors: both((pid) => readdirSync(`/proc/${pid}/fd`).length),
      sockets: both(socketsOf),
    }),
    memory: () => both((pid) => kilobytes(pid, 'VmRSS')),
    // proc(5): 5 resets the peak resident set size to what it is now.
    forgetPeak: () => void both((pid) => writeFileSync(`/proc/${pid}/clear_refs`, '5')),
    peak: () => both((pid) => kilobytes(pid, 'VmHWM')),
    sameAgent: async () => {
      const now = await pod();
      const restarts = now.status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
      if (now.metadata.uid !== uid || restarts > 0 || agentProcess(uid) !== agent) {
        throw new Error(`the agent is not the one that it was; its pod has had ${restarts} restarts`);
      }
    },
  };
}

const settleMilliseconds = 60_000;

/** Waits until no more is held than before; resolves with the milliseconds. An Error says what is still held. */
export async function heldAsBefore(gauges: Gauges, before: Held): Promise<number> {
  const began = performance.now();
  for (;;) {
    const now = await gauges.held();
    const pairs = [
      [now.streams, before.streams],
      [now.descriptors.daemon, before.descriptors.daemon],
      [now.descriptors.agent, before.descriptors.agent],
      [now.sockets.daemon, before.sockets.daemon],
      [now.sockets.agent, before.sockets.agent],
    ] as const;
    if (pairs.every(([is, was]) => is <= was)) return performance.now() - began;
    if (performance.now() - began > settleMilliseconds) {
      throw new Error(`held is ${JSON.stringify(now)}, before it was ${JSON.stringify(before)}`);
    }
    await delay(250);
  }
}

function kilobytes(pid: number, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`process ${pid} has no ${field}`);
  return Number(found) * 1024;
}

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith('socket:');
    } catch {
      // It was closed since the folder was read.
      return false;
    }
  }).length;
}
