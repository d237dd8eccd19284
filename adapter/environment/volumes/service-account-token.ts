/** Keeps one service account token fresh, as kubelet's token manager does. */
import { setTimeout as delay } from 'node:timers/promises';
import { elapsed } from '../../elapsed.ts';
import type { IssuedToken } from './volume-reader.ts';

/** The time, so that tests need not wait. Milliseconds. */
export interface Clock {
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: elapsed,
  sleep: (milliseconds, signal) => delay(milliseconds, undefined, { signal, ref: false }),
};

const day = 24 * 3_600_000;
const longestJitter = 10_000;
const firstBackoff = 1000;
const longestBackoff = 60_000;
/** A computer that slept has missed its timers, but not the time: the clock is looked at this often. */
const longestSleep = 30_000;

/** Milliseconds after its issue at which a token is renewed: 80 % of its life or a day, less up to 10 s by `chance` (0 … 1). */
export function refreshAfter(lifetime: number, chance: number): number {
  return Math.max(0, Math.min(day, lifetime * 0.8) - chance * longestJitter);
}

export interface TokenKeeping {
  /** The token that there is; undefined: one is asked for at once. */
  readonly current: { readonly lifetime: number; readonly issued: number } | undefined;
  request(signal: AbortSignal): Promise<IssuedToken>;
  renewed(token: IssuedToken): Promise<void>;
  /** Each failed try. */
  failed(error: unknown): void;
  /** Once, when the token is no longer good and there is no new one. */
  expired(error: unknown): void;
  readonly clock: Clock;
}

/** Renews until the signal is aborted (throws its reason). Failures are tried again, ever more slowly. */
export async function keepToken(keeping: TokenKeeping, signal: AbortSignal): Promise<never> {
  const { clock } = keeping;
  let { current } = keeping;
  for (;;) {
    if (current !== undefined) {
      await sleepUntil(current.issued + refreshAfter(current.lifetime, Math.random()), clock, signal);
    }
    const expires = current === undefined ? clock.now() : current.issued + current.lifetime;
    const token = await persist(keeping, expires, signal);
    current = { lifetime: token.lifetime, issued: clock.now() };
    await keeping.renewed(token);
  }
}

async function persist(keeping: TokenKeeping, expires: number, signal: AbortSignal): Promise<IssuedToken> {
  const { clock } = keeping;
  let backoff = firstBackoff;
  let told = false;
  for (;;) {
    try {
      return await keeping.request(signal);
    } catch (error) {
      signal.throwIfAborted();
      keeping.failed(error);
      if (!told && clock.now() >= expires) {
        keeping.expired(error);
        told = true;
      }
    }
    await clock.sleep(backoff, signal);
    backoff = Math.min(backoff * 2, longestBackoff);
  }
}

async function sleepUntil(time: number, clock: Clock, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let rest = time - clock.now(); rest > 0; rest = time - clock.now()) {
    await clock.sleep(Math.min(rest, longestSleep), signal);
  }
}
