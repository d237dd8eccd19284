/** Keeps one tunnel to every agent pod for as long as the session lives: pods come, go and lose their connections. */
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../diagnostics/log.ts';
import { type InboundConnection, openTunnel, type PortForwarder } from '../tunnel/tunnel.ts';
import type { Tunnels } from '../tunnel/tunnels.ts';

/** The first retries are quick: a container is "running" a moment before its agent listens. */
const firstPauseMilliseconds = 50;
const longestPauseMilliseconds = 10_000;

export interface AgentTunnelsOptions {
  /** The running agent pods, all of them at each change. */
  readonly pods: AsyncIterable<readonly string[]>;
  readonly forwarder: PortForwarder;
  readonly tunnelPort: number;
  readonly privateKey: KeyObject;
  readonly session: string;
  /** Holds the open tunnels. */
  readonly tunnels: Tunnels;
  onInbound(connection: InboundConnection): void;
  /** The pods that are there now, at each change. */
  onPods(pods: readonly string[]): void;
  readonly log: Log;
}

/** Runs until the signal is aborted; rejects if the pods can no longer be watched. */
export async function keepAgentTunnels(options: AgentTunnelsOptions, signal: AbortSignal): Promise<void> {
  let present: ReadonlySet<string> = new Set();
  const kept = new Set<string>();
  for await (const pods of options.pods) {
    present = new Set(pods);
    options.onPods(pods);
    for (const pod of pods) {
      if (kept.has(pod)) continue;
      kept.add(pod);
      void keepTunnel(pod, options, () => present.has(pod), signal).finally(() => kept.delete(pod));
    }
  }
}

async function keepTunnel(
  pod: string,
  options: AgentTunnelsOptions,
  isPresent: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { log, tunnels } = options;
  const ended = once(signal, 'abort').then(() => undefined);
  let pause = firstPauseMilliseconds;
  while (!signal.aborted && isPresent()) {
    try {
      await using tunnel = await openTunnel({ ...options, pod, signal });
      pause = firstPauseMilliseconds;
      tunnels.add(tunnel);
      // Without its tunnel an agent is not ready, so nothing more is sent to a session that ends.
      const reason = await Promise.race([tunnel.closed, ended]);
      log.write('info', 'a tunnel closes', { pod, error: reason });
    } catch (error) {
      if (signal.aborted) return;
      log.write('warn', 'a tunnel could not be opened', { pod, error });
    }
    await delay(pause * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {});
    pause = Math.min(pause * 2, longestPauseMilliseconds);
  }
}
