/**
 * Proves after connecting that a request to the real Service arrives on this computer: the daemon dials the Service from
 * inside the pod with a nonce and sees whether that very connection comes back through the tunnel.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

const greeting = 'kubernetes-local self-test ';
/** A caller that has not spoken by then is no self-test: its protocol lets the server speak first. */
const patienceMilliseconds = 200;
const retryMilliseconds = 50;

/** Where a self-test dials. */
export interface SelfTestRoute {
  /** As the user knows it: `cart:80`. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
}

/** `arrived` after so many milliseconds, or the reason why not. */
export type SelfTestResult =
  | { readonly kind: 'arrived'; readonly route: SelfTestRoute; readonly milliseconds: number }
  | { readonly kind: 'lost'; readonly route: SelfTestRoute; readonly reason: string };

export class SelfTest {
  readonly #nonces = new Set<string>();

  /** While it runs, inbound connections have to be offered to `claim` first. */
  get running(): boolean {
    return this.#nonces.size > 0;
  }

  /** Answers a connection that is a self-test's; gives back any other unread. */
  async claim(stream: Duplex): Promise<boolean> {
    const chunk = await firstChunk(stream);
    if (chunk === undefined) return false;
    const text = chunk.toString('latin1');
    if (text.startsWith(greeting) && this.#nonces.has(text)) {
      stream.end(chunk);
      stream.resume();
      return true;
    }
    stream.unshift(chunk);
    return false;
  }

  /** Dials the route until one connection comes back or `deadline` milliseconds have passed. */
  async run(
    route: SelfTestRoute,
    dial: (host: string, port: number) => Duplex,
    deadline: number,
    signal: AbortSignal,
  ): Promise<SelfTestResult> {
    const end = performance.now() + deadline;
    let reason = 'no connection came back';
    while (!signal.aborted && performance.now() < end) {
      const nonce = `${greeting}${randomBytes(16).toString('hex')}`;
      this.#nonces.add(nonce);
      const started = performance.now();
      try {
        const answer = await echo(dial(route.host, route.port), nonce, Math.min(2_000, end - performance.now()));
        if (answer === nonce) return { kind: 'arrived', route, milliseconds: performance.now() - started };
        reason = 'another program answered: the Service still reaches a pod without the agent';
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      } finally {
        this.#nonces.delete(nonce);
      }
      await delay(retryMilliseconds);
    }
    return { kind: 'lost', route, reason };
  }
}

function firstChunk(stream: Duplex): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const done = (chunk: Buffer | undefined) => {
      clearTimeout(timer);
      stream.off('readable', onReadable);
      stream.off('end', onEnd);
      stream.off('error', onEnd);
      resolve(chunk);
    };
    const onReadable = () => {
      const chunk: unknown = stream.read();
      if (Buffer.isBuffer(chunk)) done(chunk);
    };
    const onEnd = () => done(undefined);
    const timer = setTimeout(() => done(undefined), patienceMilliseconds);
    stream.on('readable', onReadable);
    stream.once('end', onEnd);
    stream.once('error', onEnd);
  });
}

/** Sends the nonce and returns as many bytes as it has. The stream is gone afterwards. */
function echo(stream: Duplex, nonce: string, milliseconds: number): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    let answer = '';
    const timer = setTimeout(() => reject(new Error('no answer')), Math.max(1, milliseconds));
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    stream.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (answer.length >= nonce.length) settle(() => resolve(answer));
    });
    stream.once('end', () => settle(() => reject(new Error('the connection was closed'))));
    stream.once('error', (error) => settle(() => reject(error)));
    stream.write(nonce);
  }).finally(() => stream.on('error', () => {}).destroy());
}
