/** How connections begin and end: a server that speaks first, half-close in both directions, resets in both directions. */
import type { AskOf, Findings } from './asks.ts';
import { same } from './bytes.ts';
import { chunksOf, digestOf } from './random.ts';
import { tell } from './slow.ts';
import { Incoming, open, send, sendLine } from './socket.ts';
import { endSchema, greeting, seenSchema } from './tasks.ts';

const some = 100_000;

/** Hears each greeting before it says a word. */
export async function askSpeaksFirst({ host, port, connections }: AskOf<'speaks-first'>): Promise<Findings> {
  await Promise.all(
    Array.from({ length: connections }, async (_, index) => {
      const socket = await open(host, port);
      const incoming = new Incoming(socket);
      same('the first line', await incoming.line(), greeting);
      socket.end(`${index}\n`);
      same('the answer', await incoming.line(), `${index}`);
      await incoming.end();
    }),
  );
  return { connections };
}

/** Ends and resets of either side, as the other side sees them. */
export async function askEnds({ host, port, seed }: AskOf<'ends'>): Promise<Findings> {
  await serverEndsFirst(host, port, seed);
  await serverResets(host, port, seed);
  await clientEnds(host, port, seed, 'end');
  await clientEnds(host, port, seed, 'ECONNRESET');
  return { 'half-close': 2, resets: 2 };
}

/** The server's direction ends at once; ours goes on for long after it. */
async function serverEndsFirst(host: string, port: number, seed: string): Promise<void> {
  const key = `${seed}/listen-only`;
  const socket = await open(host, port);
  sendLine(socket, { task: 'listen-only', key });
  await new Incoming(socket).end();
  await send(socket, chunksOf(key, some));
  socket.end();
  const { end } = endSchema.parse(await tell(host, port, { task: 'end-of', key }));
  same('what came after the end', seenSchema.parse(JSON.parse(end)), { length: some, digest: digestOf(key, some) });
}

async function serverResets(host: string, port: number, seed: string): Promise<void> {
  const socket = await open(host, port);
  sendLine(socket, { task: 'reset', after: some });
  await send(socket, chunksOf(`${seed}/reset`, some));
  const how = await new Incoming(socket)
    .all(() => {})
    .then(
      () => 'end',
      (error: NodeJS.ErrnoException) => error.code,
    );
  same("the server's reset", how, 'ECONNRESET');
}

async function clientEnds(host: string, port: number, seed: string, how: 'end' | 'ECONNRESET'): Promise<void> {
  const key = `${seed}/watch/${how}`;
  const socket = await open(host, port);
  const incoming = new Incoming(socket);
  sendLine(socket, { task: 'watch', key });
  same('the first line', await incoming.line(), 'watched');
  if (how === 'end') socket.end();
  else socket.on('error', () => {}).resetAndDestroy();
  const { end } = endSchema.parse(await tell(host, port, { task: 'end-of', key }));
  same("the client's end", end, how);
}
