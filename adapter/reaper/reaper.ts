/**
 * Looks at the Leases again and again and undoes the sessions that are given up. It asks instead of watching: one answer in
 * ten seconds is all it needs to know, and an API server that restarts or a connection that dies in silence costs nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Lease } from '../cluster/objects.ts';
import type { Log } from '../diagnostics/log.ts';
import type { Reaping } from './reap.ts';
import { Silence } from './silence.ts';

const pollMilliseconds = 10_000;
const firstBackoff = 1000;
const longestBackoff = 30_000;

export interface ReaperOptions {
  /** The Leases as they are now. */
  read(signal: AbortSignal): Promise<readonly Lease[]>;
  /** The API server's time, right after an answer. */
  now(): Date;
  /** Undoes the session of one. */
  reap(lease: Lease, signal: AbortSignal): Promise<Reaping>;
  /** Seconds after a Lease has expired. */
  readonly delay: number;
  readonly log: Log;
  /** Milliseconds between two looks. Default 10 s. */
  readonly poll?: number;
}

/** Goes on until the signal aborts, and then throws its reason. `looked` is called after each look that succeeded. */
export async function watchLeases(options: ReaperOptions, looked: () => void, signal: AbortSignal): Promise<never> {
  const { log, poll = pollMilliseconds } = options;
  const silence = new Silence(options.delay);
  let backoff = firstBackoff;
  for (;;) {
    let pause = poll;
    try {
      const leases = await options.read(signal);
      silence.keep(leases);
      looked();
      const over = leases.filter((lease) => silence.isOver(lease, options.now().getTime(), performance.now()));
      await Promise.all(over.map((lease) => reapOne(options, lease, signal)));
      backoff = firstBackoff;
    } catch (error) {
      signal.throwIfAborted();
      log.write('warn', 'the Leases cannot be read', { why: textOf(error) });
      pause = backoff;
      backoff = Math.min(backoff * 2, longestBackoff);
    }
    await delay(pause * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** One that fails does not keep the others; it is tried again at the next look, if it is silent still. */
async function reapOne({ log, reap }: ReaperOptions, lease: Lease, signal: AbortSignal): Promise<void> {
  const { name, namespace } = lease.metadata;
  const { holderIdentity: session, renewTime } = lease.spec;
  log.write('info', 'a session is given up', { namespace, lease: name, session, renewTime });
  try {
    log.write('info', 'done', { namespace, lease: name, session, result: await reap(lease, signal) });
  } catch (error) {
    signal.throwIfAborted();
    log.write('error', 'the session could not be undone', { namespace, lease: name, session, why: textOf(error) });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
