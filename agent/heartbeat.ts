/** Notices a peer that is gone without a word. Used by both ends of the tunnel. */
import type { Http2Session } from 'node:http2';

const pingEvery = 5;
const deadAfter = 15;
/** The peer's own PINGs come more often than this. */
const doubtfulAfter = 7;

export interface Heartbeat extends Disposable {
  /** Milliseconds of the last PING that was answered. */
  readonly roundTripTime: number | undefined;
  /** Whether something arrived in the last 7 ticks, and since `check` was called. */
  readonly answering: boolean;
  /** There is reason for doubt: asks at once, and takes the peer for dead if nothing arrives in so many milliseconds. */
  check(limit: number): void;
}

export interface HeartbeatOptions {
  readonly session: Http2Session;
  /** All bytes that ever arrived on the connection below the session. */
  bytesReceived(): number;
  /** Called once, when the peer has been silent for 15 ticks, or after a `check`. */
  onDead(): void;
  /** Length of a tick in milliseconds; 1000 but for tests. */
  readonly tick?: number;
}

/**
 * Sends a PING every 5 ticks and counts the ticks in which nothing at all arrived. Since the peer sends its PINGs too,
 * silence means that it or the way to it is gone. Answers to our own PINGs would be a worse sign: on a slow line they wait
 * behind megabytes of data. Ticks are counted, not seconds, so that a computer that slept or was busy does not take its own
 * pause for the peer's.
 */
export function startHeartbeat(options: HeartbeatOptions): Heartbeat {
  let ticks = 0;
  let silent = 0;
  let received = 0;
  let roundTripTime: number | undefined;
  let checking: { readonly before: number; readonly end: NodeJS.Timeout } | undefined;
  const stop = (): void => {
    clearInterval(timer);
    clearTimeout(checking?.end);
  };
  const isChecked = (): boolean => checking !== undefined && options.bytesReceived() === checking.before;
  const ping = (): void => {
    if (options.session.destroyed) return;
    options.session.ping((error, duration) => {
      if (error === null) roundTripTime = duration;
    });
  };
  const timer = setInterval(() => {
    const total = options.bytesReceived();
    silent = total === received ? silent + 1 : 0;
    received = total;
    ticks += 1;
    if (silent >= deadAfter) {
      stop();
      options.onDead();
    } else if (ticks % pingEvery === 0) ping();
  }, options.tick ?? 1000);
  timer.unref();
  ping();
  return {
    get roundTripTime() {
      return roundTripTime;
    },
    get answering() {
      return silent < doubtfulAfter && !isChecked();
    },
    check: (limit) => {
      clearTimeout(checking?.end);
      const end = setTimeout(() => {
        if (isChecked()) {
          stop();
          options.onDead();
        }
        checking = undefined;
      }, limit);
      checking = { before: options.bytesReceived(), end: end.unref() };
      ping();
    },
    [Symbol.dispose]: stop,
  };
}
