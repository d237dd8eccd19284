/** The control socket of a running cluster: one line of JSON each way (node/control.go). */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { ClusterError } from './error.ts';

const roadStatus = z.object({
  state: z.enum(['open', 'frozen', 'reset']),
  /** ms left of a cut; 0 if it has no end of its own. */
  restoredIn: z.number(),
  /** ms. */
  roundTripTime: z.number(),
  connections: z.number(),
});

const componentStatus = z.object({
  name: z.string(),
  /** The process number that this computer sees; 0 if it does not run. */
  outsidePid: z.number(),
  state: z.enum(['waiting', 'running', 'ended']),
  /** How it ended. */
  ended: z.string(),
  /** Why a running component does not serve. */
  unwell: z.string(),
});

const fullStatus = z.object({
  name: z.string(),
  pid: z.number(),
  since: z.string(),
  port: z.number(),
  version: z.string(),
  binary: z.string(),
  road: roadStatus,
  nodePid: z.number(),
  node: z.object({
    phase: z.string(),
    failure: z.string(),
    /** ms since the start at which each step was done. */
    steps: z.record(z.string(), z.number()),
    components: z.array(componentStatus),
    nodeReady: z.boolean(),
  }),
});

export type RunningStatus = z.infer<typeof fullStatus>;
export type RoadStatus = z.infer<typeof roadStatus>;

/** What the cluster itself says; undefined if it does not run. With a check, every component is asked whether it serves. */
export async function askStatus(socket: string, check: boolean): Promise<RunningStatus | undefined> {
  const answer = await ask(socket, { do: 'status', check });
  return answer === undefined ? undefined : fullStatus.parse(answer);
}

/** Changes the road; answers how it is now. */
export async function askRoad(
  socket: string,
  request:
    | { do: 'rtt'; milliseconds: number }
    | { do: 'cut'; milliseconds: number; reset: boolean }
    | { do: 'restore' },
): Promise<RoadStatus> {
  const answer = await ask(socket, request);
  if (answer === undefined) throw new ClusterError('The cluster does not run.');
  return roadStatus.parse(answer);
}

/** Starts a component that has ended again; resolves when it serves. */
export async function askRestart(socket: string, component: string): Promise<void> {
  const answer = await ask(socket, { do: 'restart', component }, restartBudget);
  if (answer === undefined) throw new ClusterError('The cluster does not run.');
}

/** Tells the cluster to end; false if it does not run. It has ended when its lock is free. */
export async function askStop(socket: string): Promise<boolean> {
  return (await ask(socket, { do: 'stop' })) !== undefined;
}

const reply = z.object({ result: z.unknown().optional(), error: z.string().optional() });
const budget = 10_000;
/** A little more than what the cluster allows itself (node/node.go). */
const restartBudget = 65_000;

async function ask(socket: string, request: object, patience = budget): Promise<unknown> {
  const connection = connect(socket);
  connection.setTimeout(patience, () => connection.destroy(new ClusterError('The cluster does not answer.')));
  connection.write(`${JSON.stringify(request)}\n`);
  let line: string;
  try {
    line = await text(connection);
  } catch (error) {
    if (error instanceof Error && 'code' in error) {
      // No socket, one of a killed process, or a process that is killed just now.
      if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(String(error.code))) return undefined;
    }
    throw error;
  }
  if (line === '') return undefined;
  const { result, error } = reply.parse(JSON.parse(line));
  if (error !== undefined) throw new ClusterError(error);
  return result ?? null;
}
