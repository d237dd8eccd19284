/** Connections whose reader stops while the writer writes all it can; beside them others go on, and then all is read. */

import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { AskOf, Findings } from './asks.ts';
import { same } from './bytes.ts';
import { digestOf, newHash, SeededBytes } from './random.ts';
import { Incoming, open, send, sendLine } from './socket.ts';
import { askStorm } from './storm.ts';
import { seenSchema, type Task, writtenSchema } from './tasks.ts';

const step = 1 << 16;
const lookMilliseconds = 250;
/** A writer that could write nothing in so many looks has to wait for its reader. */
const looks = 8;
/** Short connections that are served while the others stand still. */
const meanwhile = { connections: 200, atOnce: 16 };

/** Downloads: the reader is here. Uploads: the reader is the server. */
export async function askSlow(ask: AskOf<'slow'>, say: (text: string) => void): Promise<Findings> {
  const run = ask.side === 'download' ? download : upload;
  return run(ask, async (written) => {
    const total = await still(written, ask, say);
    say(`nobody reads, the writers have written ${(total / 1e6).toFixed(0)} MB and wait`);
    const others = await askStorm({ ...ask, ask: 'storm', seed: `${ask.seed}/meanwhile`, ...meanwhile });
    return { written: total, others: meanwhile.connections, slowestOther: others.slowest ?? 0 };
  });
}

type WhenStill = (written: () => Promise<number>) => Promise<Findings>;

async function download(
  { host, port, seed, connections, most }: AskOf<'slow'>,
  whenStill: WhenStill,
): Promise<Findings> {
  const all = await Promise.all(
    Array.from({ length: connections }, async (_, index) => {
      const socket = await open(host, port);
      const data = `${seed}/${index}`;
      sendLine(socket, { task: 'write', key: seed, seed: data, most } satisfies Task);
      return { socket, data };
    }),
  );
  const asked = async () => {
    const { written, connections: begun } = writtenSchema.parse(await tell(host, port, { task: 'written', key: seed }));
    return begun < connections ? 0 : written;
  };
  const findings = await whenStill(asked);
  await tell(host, port, { task: 'finish', key: seed });
  const lengths = await Promise.all(
    all.map(async ({ socket, data }) => {
      const hash = newHash();
      const length = await new Incoming(socket).all((chunk) => hash.update(chunk));
      socket.end();
      same(`what came of ${data}`, hash.digest('hex'), digestOf(data, length));
      return length;
    }),
  );
  const read = lengths.reduce((sum, length) => sum + length, 0);
  same('what was read, beside what was written', read, await asked());
  return { ...findings, read };
}

async function upload({ host, port, seed, connections, most }: AskOf<'slow'>, whenStill: WhenStill): Promise<Findings> {
  const stop = new AbortController();
  const all = await Promise.all(
    Array.from({ length: connections }, async (_, index) => {
      const socket = await open(host, port);
      sendLine(socket, { task: 'hold', key: seed } satisfies Task);
      return { socket, sent: sendUntil(socket, `${seed}/${index}`, most, stop.signal) };
    }),
  );
  const written = async () => all.reduce((sum, { socket }) => sum + socket.bytesWritten - socket.writableLength, 0);
  const findings = await whenStill(written);
  stop.abort();
  await tell(host, port, { task: 'resume', key: seed });
  const lengths = await Promise.all(
    all.map(async ({ socket, sent }) => {
      const wanted = await sent;
      const incoming = new Incoming(socket);
      same(`what the server received of ${seed}`, seenSchema.parse(JSON.parse(await incoming.line())), wanted);
      await incoming.end();
      return wanted.length;
    }),
  );
  return { ...findings, read: lengths.reduce((sum, length) => sum + length, 0) };
}

async function sendUntil(socket: Socket, seed: string, most: number, stop: AbortSignal) {
  const bytes = new SeededBytes(seed);
  const hash = newHash();
  let length = 0;
  function* chunks(): Generator<Buffer> {
    while (length < most && !stop.aborted) {
      const chunk = bytes.next(step);
      hash.update(chunk);
      length += chunk.length;
      yield chunk;
    }
  }
  await send(socket, chunks());
  socket.end();
  return { length, digest: hash.digest('hex') };
}

/** Resolves with what is written when nothing more can be. An Error if a reader that does not read stops nobody. */
async function still(
  written: () => Promise<number>,
  { connections, most }: AskOf<'slow'>,
  say: (text: string) => void,
): Promise<number> {
  let last = 0;
  for (let same = 0; same < looks; ) {
    await delay(lookMilliseconds);
    const now = await written();
    if (now >= connections * most) throw new Error(`${now} bytes were written that nobody reads, and no end of it`);
    same = now > 0 && now === last ? same + 1 : 0;
    if (same === 0) say(`${(now / 1e6).toFixed(0)} MB written`);
    last = now;
  }
  return last;
}

/** One question on a connection of its own. */
export async function tell(host: string, port: number, task: Task): Promise<unknown> {
  const socket = await open(host, port);
  const incoming = new Incoming(socket);
  sendLine(socket, task);
  const answer: unknown = JSON.parse(await incoming.line());
  await incoming.end();
  socket.end();
  return answer;
}
