/** Much data in both directions of several connections at once, compared by hash at both ends. */
import type { AskOf, Findings } from './asks.ts';
import { chunksOf, digestOf, newHash } from './random.ts';
import { Incoming, open, send, sendLine } from './socket.ts';
import { seenSchema } from './tasks.ts';

/** One stream carries at most so much, so that many begin and end while others run. */
const longest = 256 * 1024 * 1024;

/** Sends `up` and receives `down` bytes over `streams` connections at once. */
export async function askBytes(
  { host, port, seed, streams, up, down }: AskOf<'bytes'>,
  say: (text: string) => void,
): Promise<Findings> {
  const rounds = Math.max(streams, Math.ceil(Math.max(up, down) / longest));
  const share = (total: number, index: number) =>
    Math.floor((total * (index + 1)) / rounds) - Math.floor((total * index) / rounds);
  const done = { streams: 0, up: 0, down: 0 };
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < rounds) {
      const index = next++;
      const parts = {
        up: { seed: `${seed}/${index}/up`, length: share(up, index) },
        down: { seed: `${seed}/${index}/down`, length: share(down, index) },
      };
      await exchange(host, port, parts);
      done.streams += 1;
      done.up += parts.up.length;
      done.down += parts.down.length;
      const rate = (done.up + done.down) / 1e6 / seconds();
      say(`${done.streams} of ${rounds} streams right, ${gigabytes(done.up + done.down)} GB, ${rate.toFixed(0)} MB/s`);
    }
  };
  await Promise.all(Array.from({ length: streams }, lane));
  return { streams: done.streams, up: done.up, down: done.down, seconds: seconds() };
}

interface Parts {
  readonly up: { readonly seed: string; readonly length: number };
  readonly down: { readonly seed: string; readonly length: number };
}

async function exchange(host: string, port: number, { up, down }: Parts): Promise<void> {
  const socket = await open(host, port);
  const incoming = new Incoming(socket);
  sendLine(socket, { task: 'bytes', up, down });
  const sent = newHash();
  const received = newHash();
  function* chunks(): Generator<Buffer> {
    for (const chunk of chunksOf(up.seed, up.length)) {
      sent.update(chunk);
      yield chunk;
    }
  }
  const sending = send(socket, chunks()).then(() => socket.end());
  await Promise.all([sending, incoming.take(down.length, (chunk) => received.update(chunk))]);
  const seen = seenSchema.parse(JSON.parse(await incoming.line()));
  await incoming.end();
  same(`what the server received of ${up.seed}`, seen, { length: up.length, digest: sent.digest('hex') });
  same(`what came of ${down.seed}`, received.digest('hex'), digestOf(down.seed, down.length));
}

/** An Error that names what differs. */
export function same(what: string, seen: unknown, wanted: unknown): void {
  const [is, should] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (is !== should) throw new Error(`${what} is ${is}, not ${should}`);
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}
