/** Keeps one tunnel to every agent pod for as long as the session lives: pods come, go and lose their connections. */
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import type { AgentKeys } from '../../tunnel/agent-key-check.ts';
import { type InboundConnection, openTunnel, type PortForwarder, type Tunnel } from '../../tunnel/tunnel.ts';
import type { Tunnels } from '../../tunnel/tunnels.ts';
import { Step } from '../timings.ts';
import type { LostConnections } from './lost-connections.ts';
import type { Outage, Part } from './outage.ts';
import type { Retries } from './retries.ts';

/** How often it is looked whether a tunnel has fallen silent. */
const lookMilliseconds = 1_000;

export interface AgentTunnelsOptions {
  /** The running agent pods, all of them at each change. */
  readonly pods: AsyncIterable<readonly string[]>;
  readonly forwarder: PortForwarder;
  readonly tunnelPort: number;
  readonly privateKey: KeyObject;
  readonly session: string;
  readonly agentKeys: AgentKeys;
  /** For tests, see TunnelOptions. */
  readonly keyPatience?: number;
  /** Holds the open tunnels. */
  readonly tunnels: Tunnels;
  /** Default holder. A guest's `privateKey` is its own. */
  readonly role?: 'holder' | 'guest';
  onInbound(connection: InboundConnection): void;
  /** A tunnel stands; an agent that started again knows no guests. */
  onTunnel(tunnel: Tunnel): void;
  /** The pods that are there now, at each change. */
  onPods(pods: readonly string[]): void;
  /** Is told what breaks and what comes back. */
  readonly outage: Outage;
  /** Is told of tunnels that broke while they carried something. */
  readonly lostConnections: Pick<LostConnections, 'lost'>;
  readonly retries: Retries;
  /** What answers in a pod is not its agent. */
  onUnproven(problem: Problem): void;
  /** In which the opening of a tunnel is timed, as long as it lasts. */
  readonly step?: Step;
  /** A tunnel broke; other connections to the cluster may be dead as well. */
  onBroken(): void;
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
  const { log, tunnels, outage, lostConnections, retries, step = new Step('tunnels') } = options;
  const part: Part = `pod ${pod}`;
  const ended = once(signal, 'abort').then(() => undefined);
  const attempts = retries.begin();
  let stood = false;
  while (!signal.aborted && isPresent()) {
    try {
      await using tunnel = await step.time(`the tunnel to ${pod}`, () =>
        openTunnel({ ...options, pod, signal: AbortSignal.any([signal, attempts.signal]) }),
      );
      attempts.succeeded();
      stood = true;
      tunnels.add(tunnel);
      options.onTunnel(tunnel);
      outage.works(part);
      using _ = watchSilence(tunnel, part, outage);
      // Without its tunnel an agent is not ready, so nothing more is sent to a session that ends.
      const reason = await Promise.race([tunnel.closed, ended]);
      if (signal.aborted) return;
      log.write('info', 'a tunnel closes', { pod, error: reason });
      if (tunnel.statistics.lost > 0) lostConnections.lost(tunnel);
      options.onBroken();
      if (isPresent()) outage.failed(part, broken(pod, reason));
    } catch (error) {
      if (signal.aborted) return;
      log.write('warn', 'a tunnel could not be opened', { pod, error });
      if (error instanceof Problem && error.code === 'agent-unproven') options.onUnproven(error);
      // One that never stood is the business of the rollout.
      if (stood && isPresent()) outage.failed(part, error);
    }
    await attempts.pause(signal);
  }
  outage.forget(part);
}

/** A tunnel that stands says nothing of whether anything still comes through. */
function watchSilence(tunnel: Tunnel, part: Part, outage: Outage): Disposable {
  const look = setInterval(() => {
    if (tunnel.answering) outage.works(part);
    else outage.failed(part, broken(tunnel.pod, new Error('Nothing has been heard of it for some seconds.')));
  }, lookMilliseconds);
  return { [Symbol.dispose]: () => clearInterval(look) };
}

function broken(pod: string, reason: Error | undefined): Problem {
  return new Problem(
    {
      code: 'tunnel-failed',
      what: `The tunnel to the pod ${pod} does not work.`,
      why: reason?.message ?? '',
      remedy: '',
    },
    { cause: reason },
  );
}
