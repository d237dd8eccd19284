/** Many short connections, each with a question and an answer of its own. */
import type { AskOf, Findings } from './asks.ts';
import { same } from './bytes.ts';
import { chunksOf, digestOf, newHash, SeededNumbers } from './random.ts';
import { Incoming, open, send, sendLine } from './socket.ts';
import { seenSchema } from './tasks.ts';

const largest = 20_000;

/** Opens `connections`, `atOnce` at a time. */
export async function askStorm(
  { host, port, seed, connections, atOnce }: AskOf<'storm'>,
  say: (text: string) => void = () => {},
): Promise<Findings> {
  const times: number[] = [];
  const started = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < connections) {
      const began = performance.now();
      await short(host, port, `${seed}/${next++}`);
      times.push(performance.now() - began);
      if (times.length % 1000 === 0) say(`${times.length} of ${connections} connections answered`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, connections) }, lane));
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.floor((times.length - 1) * part)] ?? Number.NaN;
  const seconds = (performance.now() - started) / 1000;
  return { connections: times.length, seconds, median: at(0.5), p99: at(0.99), slowest: at(1) };
}

/** One connection; its sizes and who ends first follow from the seed. */
async function short(host: string, port: number, seed: string): Promise<void> {
  const numbers = new SeededNumbers(seed);
  const request = { seed: `${seed}/request`, length: numbers.size(1, largest) };
  const answer = { seed: `${seed}/answer`, length: numbers.size(1, largest) };
  const endsFirst = numbers.fraction() < 0.5 ? 'client' : 'server';
  const socket = await open(host, port);
  const incoming = new Incoming(socket);
  sendLine(socket, { task: 'short', request, answer, endsFirst });
  await send(socket, chunksOf(request.seed, request.length));
  if (endsFirst === 'client') socket.end();
  const seen = seenSchema.parse(JSON.parse(await incoming.line()));
  const hash = newHash();
  await incoming.take(answer.length, (chunk) => hash.update(chunk));
  await incoming.end();
  if (endsFirst === 'server') socket.end();
  same(`the request ${seed}`, seen, { length: request.length, digest: digestOf(request.seed, request.length) });
  same(`the answer ${seed}`, hash.digest('hex'), digestOf(answer.seed, answer.length));
}
