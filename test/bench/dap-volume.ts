/** Much data: one message of 50 MB, and memory under a flood of output. The debug adapter is a fake one (dap-debugger.ts). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Raw } from '../../adapter/dap/message.ts';
import { Channel } from '../../adapter/dap/wire/channel.ts';
import { begin, end, launchArguments, type Side, type Sides, type Subject } from './dap-sides.ts';
import { compare, type Measure } from './measure.ts';

const megabyte = 1024 * 1024;
const order: readonly Side[] = ['ours', 'other'];
const talkative: Subject = {
  type: 'custom',
  command: [process.execPath, fileURLToPath(new URL('dap-debugger.ts', import.meta.url))],
  launch: {},
};

/** From the request until 50 MB of source are there, parsed. */
export async function benchLargeMessage(
  sides: Sides,
  runs: number,
  say: (text: string) => void,
): Promise<readonly Measure[]> {
  const samples = { ours: [] as number[], other: [] as number[] };
  const clients = {
    ours: (await begin(sides, 'ours', talkative)).client,
    other: (await begin(sides, 'other', talkative)).client,
  };
  for (const side of order) await clients[side].request('prepare', { bytes: 50 * megabyte });
  for (let one = -1; one < runs; one++) {
    for (const side of order) {
      const client = clients[side];
      const started = performance.now();
      await client.request('source', { sourceReference: 1 });
      const time = performance.now() - started;
      client.transcript.length = 0;
      say(`50 MB, run ${one + 1}: ${side} ${time.toFixed(0)} ms`);
      if (one >= 0) samples[side].push(time);
    }
  }
  for (const side of order) await end(clients[side]);
  return [compare('a response of 50 MB', 'ms', 'without us', 1.5, samples)];
}

/** Each run takes a while, and memory differs less than time. */
const memoryRuns = 3;
const stall = 3000;

/**
 * The most memory that our debug adapter ever had, after 2 GB of output and after 2 more; and with a client that stalls.
 * Within the first 2 GB, V8 gives its young objects the room that such a flood makes good use of; then it has no reason to
 * grow but a leak.
 */
export async function benchMemory(sides: Sides, say: (text: string) => void): Promise<readonly Measure[]> {
  const flat = { ours: [] as number[], other: [] as number[] };
  const stalled = { ours: [] as number[], other: [] as number[] };
  for (let one = 0; one < memoryRuns; one++) {
    const { small, large, slow } = await flooded(sides);
    say(`memory, run ${one + 1}: 2 GB ${small} MB, 4 GB ${large} MB, stalled client ${slow} MB`);
    flat.other.push(small);
    flat.ours.push(large);
    stalled.other.push(large);
    stalled.ours.push(slow);
  }
  return [
    compare('peak memory, 4 GB of output', 'MB', 'after 2 GB', 1.2, flat),
    compare(`peak memory, client stalls for ${stall / 1000} s in each 100 MB`, 'MB', 'without a stall', 1.5, stalled),
  ];
}

/** Peak memory, in MB. */
async function flooded(sides: Sides): Promise<{ small: number; large: number; slow: number }> {
  const [program = '', ...args] = sides.argv('ours', talkative);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const channel = new Channel(child.stdout, child.stdin);
  const waiting = new Map<unknown, (message: Raw) => void>();
  let started = () => {};
  const first = new Promise<void>((resolve) => {
    started = resolve;
  });
  channel.listen({
    message: (message) => {
      if (message.type === 'response') waiting.get(message.request_seq)?.(message);
      else if (message.event === 'initialized') started();
    },
    unreadable: (error) => child.emit('error', error),
    broken: () => {},
    end: () => {},
  });
  const request = (command: string, given: object = {}) =>
    new Promise<Raw>((resolve) => waiting.set(channel.send({ type: 'request', command, arguments: given }), resolve));
  const peak = async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s*(\d+)/.exec(status)?.[1]) / 1024);
  };
  await request('initialize', { clientID: 'bench', adapterID: 'custom' });
  await request('launch', launchArguments('ours', talkative));
  await first;
  await request('flood', { bytes: 2048 * megabyte });
  const small = await peak();
  await request('flood', { bytes: 2048 * megabyte });
  const large = await peak();
  for (let times = 0; times < 2; times++) {
    const flood = request('flood', { bytes: 100 * megabyte });
    child.stdout.pause();
    await delay(stall);
    child.stdout.resume();
    await flood;
  }
  const slow = await peak();
  await request('disconnect');
  child.stdin.end();
  await exited;
  return { small, large, slow };
}
