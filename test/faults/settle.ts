/**
 * After a blow: waits until all is as it was before, and does what a user would do when it does not become so by itself.
 */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from './api.ts';
import { actsIn } from './journal-watch.ts';
import type { Lane } from './lane.ts';
import { processesOf } from './processes.ts';
import { type FaultySession, seeThrough } from './session.ts';
import { differences, hashOf, type Traces, takeTraces } from './traces.ts';

/** What it took: nothing at all, the next start of some command, or `restore`, which only is for what the docs say. */
export type Remedy = 'nothing' | 'next command' | 'restore';

export interface Settled {
  readonly remedy: Remedy;
  readonly seconds: number;
  /** Of all traces; the same before and after. */
  readonly hash: string;
  /** What is not as it was, or went wrong on the way; empty if the cell passed. */
  readonly problems: readonly string[];
}

const pollMilliseconds = 700;
const ofComputer = /^(hosts file|\/etc|temporary files|runtime folder|links|state folder|shared memory|sockets) /;
/** What a session's own processes may take: the undo waits two minutes for a cluster that is away. */
const byItselfMilliseconds = 240_000;
/** What the cluster may take when no process of ours is left: pods end, controllers look. */
const afterwardsMilliseconds = 45_000;
const remedies: readonly { readonly remedy: Remedy; readonly args: readonly string[] }[] = [
  { remedy: 'next command', args: ['status'] },
  { remedy: 'restore', args: ['restore'] },
];

/** Sees the session through to its end and compares with the traces of before. */
export async function settle(
  lane: Lane,
  session: FaultySession | undefined,
  before: Traces,
  api: Api,
): Promise<Settled> {
  const began = performance.now();
  const problems: string[] = [];
  if (session !== undefined) {
    await seeThrough(session).catch((error: unknown) => problems.push(String(error)));
  }
  let remedy: Remedy = 'nothing';
  let left = await whatIsLeft(lane, before, api);
  for (const next of remedies) {
    if (left.length === 0) break;
    remedy = next.remedy;
    const said = await command(lane, next.args);
    left = await whatIsLeft(lane, before, api);
    if (left.length > 0) problems.push(`after "${next.args.join(' ')}", which said: ${said}`);
  }
  if (left.length > 0) problems.push(...left);
  else if (remedy === 'restore') problems.push('it took "restore", which nothing of this matrix should need');
  return { remedy, seconds: (performance.now() - began) / 1000, hash: hashOf(before), problems };
}

/** Waits for what happens by itself; what differs then. */
async function whatIsLeft(lane: Lane, before: Traces, api: Api): Promise<readonly string[]> {
  const end = performance.now() + byItselfMilliseconds;
  let alone: number | undefined;
  for (;;) {
    await delay(pollMilliseconds);
    const now = performance.now();
    const living = processesOf(lane.state);
    if (living.length > 0) {
      alone = undefined;
      if (now < end) continue;
      return living.map(({ pid, command: line }) => `process ${pid} lives on: ${line}`);
    }
    alone ??= now;
    // Nobody is left who could undo what stands in the journal.
    if (actsIn(lane).length > 0) return ['the journal is still there', ...(await comparedWith(before, lane, api))];
    const left = await comparedWith(before, lane, api);
    // This computer changes no more without a process; the cluster does.
    const isOfCluster = left.some((text) => !ofComputer.test(text));
    if (left.length === 0 || !isOfCluster || now - alone > afterwardsMilliseconds) return left;
  }
}

async function comparedWith(before: Traces, lane: Lane, api: Api): Promise<readonly string[]> {
  try {
    return differences(before, await takeTraces(api, lane));
  } catch (error) {
    return [`the cluster could not be looked at: ${error}`];
  }
}

/** Runs the product to its end; what it said. */
async function command({ product, environment }: Lane, args: readonly string[]): Promise<string> {
  const [program = '', ...first] = product;
  const child = spawn(program, [...first, ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  await new Promise((resolve) => child.once('close', resolve));
  return said.trim();
}
