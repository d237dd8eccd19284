/** A client program, on this computer or in a pod, and what it found out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

export type Direction = 'download' | 'upload';

/** How a client is started, and what it calls. */
export interface Way {
  /** Program and first arguments that start the probe, and wrk. */
  readonly probe: readonly string[];
  readonly wrk: readonly string[];
  /** `host:port` of the server, as the client sees it. */
  readonly address: string;
}

const timesSchema = z.object({ milliseconds: z.array(z.number()) });
const besideSchema = timesSchema.extend({ bytesPerSecond: z.number() });
const transferSchema = z.object({ seconds: z.number() });
const openSchema = z.object({ open: z.number() });

/** New connections in turn: the time of each from dialling to the first byte back, in ms. */
export async function connectionTimes(way: Way, count: number): Promise<readonly number[]> {
  const output = await outputOf([...way.probe, 'connections', way.address, `${count}`]);
  return timesSchema.parse(JSON.parse(output)).milliseconds;
}

/** Moves `bytes` on each of `streams` connections at once, all of them open when it begins; Gbit/s of all together. */
export async function transferRate(way: Way, direction: Direction, streams: number, bytes: number): Promise<number> {
  const output = await outputOf([...way.probe, 'transfer', way.address, direction, `${streams}`, `${bytes}`]);
  return (streams * bytes * 8) / 1e9 / transferSchema.parse(JSON.parse(output)).seconds;
}

/** New connections in turn beside a transfer: their times as in `connectionTimes`, and the Gbit/s of the transfer. */
export async function timesBeside(
  way: Way,
  direction: Direction,
  count: number,
): Promise<{ readonly times: readonly number[]; readonly rate: number }> {
  const output = await outputOf([...way.probe, 'beside', way.address, direction, `${count}`]);
  const { milliseconds, bytesPerSecond } = besideSchema.parse(JSON.parse(output));
  return { times: milliseconds, rate: (bytesPerSecond * 8) / 1e9 };
}

/** HTTP requests a second, as wrk counts them, over connections that are kept. An Error if one of them failed. */
export async function requestRate(way: Way, connections: number, seconds: number): Promise<number> {
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s'];
  const output = await outputOf([...way.wrk, ...options, `http://${way.address}/`]);
  const failed = /^\s*(Socket errors|Non-2xx).*$/m.exec(output);
  const rate = /^Requests\/sec:\s*([\d.]+)$/m.exec(output);
  if (failed || !rate) throw new Error(`wrk: ${failed?.[0].trim() ?? output}`);
  return Number(rate[1]);
}

/** Connections that are open and carry nothing. */
export interface IdleConnections extends AsyncDisposable {
  /** Opens more, until there are so many; each has carried a byte to the server and back. */
  open(count: number): Promise<void>;
}

export function idleConnections({ probe, address }: Way): IdleConnections {
  const [command = '', ...args] = probe;
  const child = spawn(command, [...args, 'idle', address], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async open(count) {
      child.stdin.write(`${count}\n`);
      const { done, value } = await lines.next();
      if (done || openSchema.parse(JSON.parse(value)).open !== count)
        throw new Error(`cannot open ${count} connections`);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}

async function outputOf([command = '', ...args]: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}: ${errors.trim()}`);
  return output;
}
