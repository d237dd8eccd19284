/** kubernetes-local in a terminal, as the end-to-end tests use it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import type { World } from '../stage/world.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCommand {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it wrote to standard error so far. */
  stderr(): string;
  /** Resolves when standard error holds this; rejects when the command ends without it. */
  saw(wanted: string | RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts the product with these arguments; `environment` is added to the world's. */
export function startCommand(
  world: World,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): RunningCommand {
  const [program = '', ...first] = world.product;
  const child: ChildProcess = spawn(program, [...first, ...args], {
    env: { ...world.environment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { stdout, stderr, pid } = child;
  if (!stdout || !stderr || pid === undefined) throw new Error(`${program} could not be started`);
  let complaint = '';
  const waiting = new Set<() => void>();
  stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaint += chunk;
    for (const look of waiting) look();
  });
  const output = text(stdout);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', async (code, signal) => {
      resolve({ code, signal, stdout: await output, stderr: complaint });
    });
  });
  ended.catch(() => {});
  return {
    pid,
    ended,
    stderr: () => complaint,
    saw: async (wanted) => {
      const seen = () => (typeof wanted === 'string' ? complaint.includes(wanted) : wanted.test(complaint));
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = () => seen() && resolve();
      waiting.add(look);
      void ended.then(() => reject(new Error(`It ended without saying ${wanted}:\n${complaint}`)), reject);
      look();
      await promise.finally(() => waiting.delete(look));
    },
    kill: (signal) => void child.kill(signal),
  };
}

/** Runs the product to its end. */
export function runCommand(world: World, args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Ended> {
  return startCommand(world, args, environment).ended;
}

/** The options that lead `connect` and `run` to this world. */
export function placeOptions(world: Pick<World, 'place'>): readonly string[] {
  const { kubeconfig, namespace, agentImage } = world.place;
  return ['--kubeconfig', kubeconfig, '--namespace', namespace, '--agent-image', agentImage];
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
