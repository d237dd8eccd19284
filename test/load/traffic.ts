/** Much data, many connections, and readers that stop: what the tunnel carries, and what it holds meanwhile. */
import { type Check, eachWay, type Run, shown } from './checks.ts';
import { type Both, heldAsBefore } from './gauges.ts';
import type { Direction } from './stage.ts';
import { agentLimit } from './workloads.ts';

const mebibyte = 2 ** 20;
const streamsAtOnce = 4;
const connectionsAtOnce = 128;
/** Before the first look, so that what is made once is there. */
const warmUp = { ask: 'storm', connections: 256, atOnce: connectionsAtOnce } as const;
/** No buffer between a writer and a reader that has stopped may take so much. */
const mostUnread = 64 * mebibyte;
/** The daemon's own, and what waits in it for readers that have stopped, however many they are. */
const daemonLimit = 512 * mebibyte;

export const trafficChecks: readonly Check[] = [
  { part: 'bytes', name: 'random data, both directions at once', direction: 'both', run: lookAtBytes },
  ...eachWay('storm', 'short connections', lookAtStorm),
  ...eachWay('slow', 'readers that stop', lookAtSlow),
];

async function lookAtBytes({ stage, size, seed, say }: Run): Promise<string> {
  stage.gauges.forgetPeak();
  const half = Math.round(size.bytesEachWay / 2);
  const all = await Promise.all(
    stage.directions.map((direction) =>
      direction.ask(
        { ask: 'bytes', seed: `${seed}/${direction.name}`, streams: streamsAtOnce, up: half, down: half },
        'tasks',
        (line) => say(`${direction.name}: ${line}`),
      ),
    ),
  );
  await stage.gauges.sameAgent();
  const streams = all.reduce((sum, findings) => sum + Number(findings.streams), 0);
  const seconds = Math.max(...all.map((findings) => Number(findings.seconds)));
  const gigabytes = (size.bytesEachWay / 1e9).toFixed(1);
  return `${gigabytes} GB each way in ${streams} streams, all hashes right, ${shown(seconds)} s; ${memory(stage.gauges.peak())}`;
}

async function lookAtStorm(direction: Direction, { stage, size, seed, say }: Run): Promise<string> {
  await direction.ask({ ...warmUp, seed: `${seed}/warm` }, 'tasks');
  const before = await stage.gauges.held();
  const storm = { ask: 'storm', seed, connections: size.connections, atOnce: connectionsAtOnce } as const;
  const { connections, seconds, median, p99 } = await direction.ask(storm, 'tasks', say);
  await heldAsBefore(stage.gauges, before);
  await stage.gauges.sameAgent();
  const { streams, descriptors, sockets } = before;
  return [
    `${shown(connections)} answered, ${connectionsAtOnce} at once, ${shown(seconds)} s`,
    `each ${shown(median)} ms, 99 % ${shown(p99)} ms`,
    `afterwards no more than before: ${streams} streams, ${descriptors.daemon} and ${descriptors.agent} descriptors, ${sockets.daemon} and ${sockets.agent} sockets of daemon and agent`,
  ].join('; ');
}

/** Both sides stop at once: the readers here, for which the daemon holds data, and those in the cluster, for which the agent does. */
async function lookAtSlow(direction: Direction, { stage, size, seed, say }: Run): Promise<string> {
  const { gauges, directions } = stage;
  const other = directions.find(({ name }) => name !== direction.name);
  gauges.forgetPeak();
  let beside: Promise<unknown> | undefined;
  const stalled = (side: 'download' | 'upload') =>
    direction.ask(
      { ask: 'slow', side, seed: `${seed}/${side}`, connections: size.stalled, most: mostUnread },
      'tasks',
      (line) => {
        say(`${side}: ${line}`);
        if (line.startsWith('nobody reads'))
          beside ??= other?.ask({ ...warmUp, seed: `${seed}/${side}/beside` }, 'tasks');
      },
    );
  const all = await Promise.all([stalled('download'), stalled('upload')]);
  await beside;
  await gauges.sameAgent();
  const peak = gauges.peak();
  if (peak.agent > agentLimit)
    throw new Error(`the agent is above ${shown(agentLimit / mebibyte)} MiB: ${memory(peak)}`);
  if (peak.daemon > daemonLimit)
    throw new Error(`the daemon is above ${shown(daemonLimit / mebibyte)} MiB: ${memory(peak)}`);
  const [unread, read] = ['written', 'read'].map(
    (field) => all.reduce((sum, findings) => sum + Number(findings[field]), 0) / 1e6,
  );
  const slowest = Math.max(...all.map((findings) => Number(findings.slowestOther)));
  return [
    `${size.stalled} and ${size.stalled} connections hold ${shown(unread)} MB that nobody reads`,
    `${memory(peak)}, bounds ${shown(daemonLimit / mebibyte)} and ${shown(agentLimit / mebibyte)} MiB`,
    `400 others meanwhile, the slowest ${shown(slowest)} ms`,
    `then all ${shown(read)} MB right`,
  ].join('; ');
}

function memory({ daemon, agent }: Both<number>): string {
  return `at most ${shown(daemon / mebibyte)} MiB of the daemon, ${shown(agent / mebibyte)} MiB of the agent`;
}
