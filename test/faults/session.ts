/** A debug session of a lane, brought into the state in which it is struck, and seen through to its end afterwards. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DapClient } from '../dap-client.ts';
import type { Api, ApiObject } from './api.ts';
import type { State } from './cells.ts';
import { actsIn, daemonOf, heldAtAct, seen } from './journal-watch.ts';
import { containerPort, type Lane, mountPath, sessionFolder, workload } from './lane.ts';
import { daemonsOf, processesOf, signal } from './processes.ts';
import { slowWithJournal } from './slow-journal.ts';

const program = join(import.meta.dirname, 'program.py');
const stopLine =
  readFileSync(program, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes('# stop here')) + 1;

export interface FaultySession {
  readonly client: DapClient;
  readonly state: State;
  /** The session was in its state when its daemon was stopped; the cell says otherwise if it had gone on. */
  readonly reached: boolean;
  /** Resolves when the launch has succeeded or failed. */
  readonly launched: Promise<void>;
  /** Lets the daemon go on that was held at its step. */
  release(): void;
}

/** The longest that a session may take to come to its state. */
const reachMilliseconds = 120_000;

/** Starts a session in the lane and holds it in the state. Rejects if it never comes there. */
export async function sessionIn(state: State, lane: Lane, api: Api): Promise<FaultySession> {
  const stop = AbortSignal.timeout(reachMilliseconds);
  const client = await startAdapter(lane);
  const [phase, step = ''] = state.split('@');
  try {
    if (phase === 'connecting') {
      const held = step === 'rollout' ? heldAtRollout(lane, api, stop) : heldAtAct(lane, folderOf(lane), step, stop);
      held.catch(() => {});
      const launched = launch(client, lane, false);
      const failed = launched.then(() => new Promise<never>(() => {}));
      const reached = await Promise.race([held, failed]);
      return struckThere(client, lane, state, reached, launched);
    }
    await Promise.race([launch(client, lane, state === 'stopped'), aborted(stop)]);
    if (state === 'stopped') await Promise.race([client.waitForEvent('stopped'), aborted(stop)]);
    if (phase !== 'ending') return struckThere(client, lane, state, actsIn(lane).length > 0, Promise.resolve());
    // It is made beside the session, which does not wait for it.
    if (step === 'reaper') await api.until(deploymentsOf(lane), (all) => all.some(isReaper), stop);
    // Between the end of the Lease and that of the journal is less than a millisecond.
    const slowed = step === 'lease' ? slowWithJournal(lane) : undefined;
    client.request('disconnect', { terminateDebuggee: true }).catch(() => {});
    const held = heldWhileEnding(step, lane, api, stop);
    return struckThere(client, lane, state, await held, Promise.resolve(), slowed);
  } catch (error) {
    client.kill('SIGKILL');
    await client.exited;
    throw error;
  }
}

function struckThere(
  client: DapClient,
  lane: Lane,
  state: State,
  reached: boolean,
  launch: Promise<void>,
  slowed?: Disposable,
): FaultySession {
  const session = actsIn(lane).find(({ act }) => act === 'session');
  if (session?.id !== undefined) lane.sessions.push(session.id);
  return {
    client,
    state,
    reached,
    launched: launch.catch(() => {}),
    release: () => {
      slowed?.[Symbol.dispose]();
      for (const pid of daemonsOf(lane)) signal(pid, 'SIGCONT');
    },
  };
}

const endMilliseconds = 240_000;
const patienceMilliseconds = 60_000;

/**
 * Sees the client through, as an IDE would: it waits for the answer that it has not got yet, asks for the end, and closes
 * the input. An Error says what the debug adapter failed to do.
 */
export async function seeThrough({ client, launched }: FaultySession): Promise<void> {
  const stop = AbortSignal.timeout(endMilliseconds);
  const over = Promise.race([client.exited, aborted(stop)]);
  over.catch(() => {});
  // A user loses patience with a launch that does not come to an end; "disconnect" then cancels it.
  await Promise.race([launched, delay(patienceMilliseconds, undefined, { ref: false }), over]).catch(() => {});
  await Promise.race([client.request('disconnect', { terminateDebuggee: true }).catch(() => {}), over]);
  client.endInput();
  try {
    await over;
  } catch {
    client.kill('SIGKILL');
    throw new Error(`the debug adapter did not end within ${endMilliseconds / 1000} s`);
  }
}

/** One whole session in peace: what it leaves in the state folder is where every later one begins. */
export async function peacefulSession(lane: Lane): Promise<void> {
  const client = await startAdapter(lane);
  await launch(client, lane, false);
  await client.request('disconnect', { terminateDebuggee: true });
  client.endInput();
  await client.exited;
  await until(() => processesOf(lane.state).length === 0);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(200);
}

async function startAdapter(lane: Lane): Promise<DapClient> {
  const client = DapClient.spawn([...lane.product, 'dap', '--delegate', 'debugpy'], { env: lane.environment });
  await client.request('initialize', {
    adapterID: 'kubernetes-local',
    clientID: 'faults',
    linesStartAt1: true,
    columnsStartAt1: true,
    pathFormat: 'path',
    supportsProgressReporting: true,
  });
  return client;
}

/** Resolves when the program runs. */
async function launch(client: DapClient, lane: Lane, isToStop: boolean): Promise<void> {
  const initialized = client.waitForEvent('initialized');
  initialized.catch(() => {});
  const launched = client.request('launch', {
    type: 'kubernetes-local',
    request: 'launch',
    name: 'faults',
    target: `service/${workload}`,
    network: 'hosts',
    ports: { [containerPort]: lane.port },
    volumes: { localPaths: { [mountPath]: join(lane.links, 'files') } },
    ...lane.place,
    delegate: { type: 'debugpy', request: 'launch', program, args: [`${lane.port}`], python: '/usr/bin/python3' },
  });
  await Promise.race([initialized, launched]);
  if (isToStop) {
    await client.request('setBreakpoints', { source: { path: program }, breakpoints: [{ line: stopLine }] });
  }
  const listens = client.waitForEvent<{ output: string }>('output', ({ output }) => output.includes('listens'));
  listens.catch(() => {});
  await client.request('configurationDone');
  await launched;
  await listens;
}

/** The agent's container runs, but the session has not noticed. */
async function heldAtRollout(lane: Lane, api: Api, stop: AbortSignal): Promise<boolean> {
  const { namespace, place } = lane;
  await seen([folderOf(lane)], () => actsIn(lane).some(({ act }) => act === 'replacement'), stop);
  await api.until(
    `/api/v1/namespaces/${namespace}/pods`,
    (pods) => pods.some((pod) => JSON.stringify(pod.spec).includes(place.agentImage) && isRunning(pod.status)),
    stop,
  );
  return hold(lane) && !actsIn(lane).some(({ act }) => act === 'volumes');
}

function isRunning(status: unknown): boolean {
  return JSON.stringify(status ?? '').includes('"running"');
}

/** Held when this much of the undo is done, and not all of it. */
async function heldWhileEnding(step: string, lane: Lane, api: Api, stop: AbortSignal): Promise<boolean> {
  const { etc, namespace } = lane;
  const isStill = () => actsIn(lane).length > 0;
  const hosts = () => readFileSync(join(etc, 'hosts'), 'utf8').includes('kubernetes-local');
  switch (step) {
    case 'hosts':
      await seen([etc], () => !hosts() && hold(lane), stop);
      return isStill() && !hosts();
    case 'workload':
      await api.until(
        deploymentsOf(lane),
        (all) =>
          all.some((one) => one.metadata.name === workload && !JSON.stringify(one.spec).includes('kubernetes-local/')),
        stop,
      );
      return hold(lane) && isStill();
    case 'reaper':
      await api.until(deploymentsOf(lane), (all) => !all.some(isReaper), stop);
      return hold(lane) && isStill();
    case 'lease':
      await api.until(
        `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
        (all) => !all.some(({ metadata }) => metadata.name.startsWith('kubernetes-local')),
        stop,
      );
      return hold(lane) && isStill();
    case 'asked':
      return hold(lane) && isStill();
    case 'link':
      await seen([lane.links], () => readdirSync(lane.links).length === 0 && hold(lane), stop);
      return isStill();
    default:
      throw new Error(`nothing is known of the end's step "${step}"`);
  }
}

function deploymentsOf({ namespace }: Lane): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments`;
}

function isReaper({ metadata }: ApiObject): boolean {
  return metadata.name.startsWith('kubernetes-local-reaper');
}

function hold(lane: Lane): boolean {
  const daemon = daemonOf(lane);
  return daemon !== undefined && signal(daemon, 'SIGSTOP');
}

function folderOf(lane: Lane): string {
  const folder = sessionFolder(lane);
  if (folder === undefined) throw new Error('the lane has had no session yet');
  return folder;
}

async function aborted(stop: AbortSignal): Promise<never> {
  while (!stop.aborted) await delay(200, undefined, { ref: false });
  throw stop.reason;
}
