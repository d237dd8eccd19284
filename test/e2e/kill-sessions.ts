/** Debug sessions of the cart in each phase of their lives, with all of their processes known, for tests that kill these. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ProcessTree } from '../../adapter/processes/tree.ts';
import type { DapClient } from '../dap-client.ts';
import { isDaemon, processesOf, type World } from '../stage/world.ts';
import { cartConfiguration, startAdapter } from './cart-session.ts';

export type Phase = 'connecting' | 'running' | 'stopped' | 'ending';
export type Victim = 'adapter' | 'delegate' | 'debuggee' | 'daemon';
/** `EOF` is the end of the debug adapter's input. */
export type Blow = 'SIGKILL' | 'SIGTERM' | 'EOF';

/** Launches a program; resolves when it runs, or stands at a breakpoint. */
export type Launch = (phase: 'running' | 'stopped') => Promise<DapClient>;

/** A session in a phase. */
export interface Session {
  readonly client: DapClient;
  readonly phase: Phase;
  /** All processes below the debug adapter, and itself. */
  readonly tree: ProcessTree;
  /** The answer to what the client waits for in this phase. */
  readonly pending: Promise<unknown> | undefined;
}

/** Brings a session into a phase. */
export async function sessionIn(phase: Phase, world: World, launch: Launch): Promise<Session> {
  const tree = new ProcessTree();
  if (phase === 'connecting') {
    const client = await startAdapter(world, '--delegate', 'debugpy');
    const pending = client.request('launch', cartConfiguration(world));
    await client.waitForEvent<{ message?: string }>('progressUpdate', ({ message = '' }) => message.includes('agent'));
    await tree.add(client.pid, 'debugger');
    return { client, phase, tree, pending };
  }
  const client = await launch(phase === 'stopped' ? 'stopped' : 'running');
  await tree.add(client.pid, 'debugger');
  const pending = phase === 'ending' ? client.request('disconnect', { terminateDebuggee: true }) : undefined;
  return { client, phase, tree, pending };
}

/** Strikes one process of a session. */
export function strike({ client }: Session, victim: Victim, blow: Blow, world: World): void {
  if (blow === 'EOF') client.endInput();
  else process.kill(pidOf(victim, client, world), blow);
}

/** Sees the client through to the end of a session of which something was struck: it is always told. */
export async function seeThrough({ client, phase, pending }: Session, victim: Victim, blow: Blow): Promise<void> {
  if (victim === 'debuggee' && blow === 'SIGTERM' && phase === 'stopped') {
    // It hears of the signal when it goes on.
    const [body] = client.events<{ threadId?: number }>('stopped');
    await client.request('continue', { threadId: body?.threadId });
  }
  if (victim !== 'adapter') {
    if (phase === 'connecting') await toldOf(pending);
    else if (phase === 'ending') await pending;
    else await client.waitForEvent('terminated');
    if (phase !== 'ending') await client.request('disconnect');
    client.endInput();
  }
  await client.exited;
}

async function toldOf(launch: Promise<unknown> | undefined): Promise<void> {
  const answer = await launch?.then(
    () => 'success',
    () => 'failure',
  );
  if (answer !== 'failure') throw new Error(`launch ended in ${answer}`);
}

/** Waits until nothing is left of a session; `others` may live on. */
export async function nothingLeft({ tree }: Session, world: World, others: readonly number[] = []): Promise<void> {
  const patience = 30_000;
  if (!(await tree.gone(patience))) throw new Error(`These live on: ${tree.pids().map(described).join('\n')}`);
  const end = Date.now() + patience;
  for (;;) {
    const left = processesOf(world.state).filter(({ pid }) => !others.includes(pid));
    if (left.length === 0) return;
    if (Date.now() > end) throw new Error(`These live on: ${left.map(({ pid }) => described(pid)).join('\n')}`);
    await delay(100);
  }
}

function pidOf(victim: Victim, client: DapClient, world: World): number {
  if (victim === 'adapter') return client.pid;
  if (victim === 'debuggee') {
    const [body] = client.events<{ systemProcessId?: number }>('process');
    if (body?.systemProcessId === undefined) throw new Error('The program has not been named.');
    return body.systemProcessId;
  }
  const found = processesOf(world.state).filter(({ pid, command }) =>
    victim === 'daemon' ? isDaemon(command) : !isDaemon(command) && parentOf(pid) === client.pid,
  );
  const [one, ...others] = found;
  if (one === undefined || others.length > 0) throw new Error(`${victim}: ${JSON.stringify(found)}`);
  return one.pid;
}

/** proc_pid_stat(5). */
function parentOf(pid: number): number | undefined {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]);
  } catch {
    return undefined;
  }
}

function described(pid: number): string {
  try {
    return `${pid}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`;
  } catch {
    return `${pid}`;
  }
}
