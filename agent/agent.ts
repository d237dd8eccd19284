/**
 * agent/ is the program in the pod. It stands where the container stood: it carries connections to the container's ports to
 * the workstation, dials from inside the pod for the workstation, and is ready only while there is a workstation.
 */
import type { ClientHttp2Session } from 'node:http2';
import { createHealthServer } from './health.ts';
import { type InboundListeners, openInboundListeners } from './inbound.ts';
import type { AgentLog } from './log.ts';
import type { AgentConfiguration } from './protocol.ts';
import { Readiness } from './readiness.ts';
import { listenEverywhere, listenOn } from './sockets.ts';
import { TunnelListener } from './tunnel-listener.ts';

/** How long open connections may take to end when the pod is stopped, in milliseconds. */
const farewellLimit = 300;
/** A port can be in use for a moment, by the container that stood here before; ms between attempts. */
const listenAgainAfter = 500;

export interface AgentOptions {
  readonly log: AgentLog;
  /** Milliseconds of a heartbeat's tick; for tests. */
  readonly heartbeatTick?: number;
}

export interface Agent {
  readonly tunnelPort: number;
  readonly healthPort: number;
  /** Ports that carry traffic now; empty without a tunnel. */
  readonly ports: readonly number[];
  readonly ready: boolean;
  /** Stops listening, lets open connections end for 300 ms, then drops them. */
  close(): Promise<void>;
}

/** Starts the agent. Resolves when the tunnel port and the health port are listened on; rejects if either cannot be. */
export async function startAgent(configuration: AgentConfiguration, options: AgentOptions): Promise<Agent> {
  const { log } = options;
  const readiness = new Readiness();
  let listeners: InboundListeners | undefined;
  let current: ClientHttp2Session | undefined;

  const openListeners = async (session: ClientHttp2Session): Promise<void> => {
    while (current === session) {
      try {
        const opened = await openInboundListeners(configuration.ports, session, log);
        if (current !== session) return opened.close();
        listeners = opened;
        readiness.set(true);
        return;
      } catch (error) {
        log('error', 'cannot listen', { reason: error instanceof Error ? error.message : String(error) });
        await new Promise((resolve) => setTimeout(resolve, listenAgainAfter).unref());
      }
    }
  };
  const closeListeners = (): void => {
    readiness.set(false);
    current = undefined;
    listeners?.close();
    listeners = undefined;
  };

  const tunnel = new TunnelListener({
    session: configuration.session,
    publicKey: configuration.publicKey,
    files: configuration.files,
    log,
    onLive: (session) => {
      current = session;
      void openListeners(session);
    },
    onLost: closeListeners,
    ...(options.heartbeatTick === undefined ? {} : { heartbeatTick: options.heartbeatTick }),
  });
  const health = createHealthServer(readiness);
  const [tunnelPort, healthPort] = await Promise.all([
    listenOn(tunnel.server, configuration.tunnelPort, '127.0.0.1'),
    listenEverywhere(health, configuration.healthPort),
  ]);
  log('info', 'agent started', { tunnelPort, healthPort, ports: configuration.ports });

  return {
    tunnelPort,
    healthPort,
    get ports() {
      return listeners?.ports ?? [];
    },
    get ready() {
      return readiness.ready;
    },
    close: async () => {
      closeListeners();
      health.close();
      await tunnel.close(farewellLimit);
      health.closeAllConnections();
    },
  };
}
