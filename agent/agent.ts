/**
 * agent/ is the program in the pod. It stands where the container stood: it carries connections to the container's ports to
 * the workstation, dials from inside the pod for the workstation, and is ready only while there is a workstation, or one
 * that was lost a moment ago may come back.
 */
import type { ClientHttp2Session } from 'node:http2';
import { createHealthServer } from './health.ts';
import { announce, newIdentity } from './identity.ts';
import { type InboundListeners, openInboundListeners } from './inbound.ts';
import { KeyRing } from './key-ring.ts';
import { type DialLimits, mostHeld } from './limits.ts';
import type { AgentLog } from './log.ts';
import type { AgentConfiguration } from './protocol.ts';
import { Readiness } from './readiness.ts';
import { listenEverywhere, listenOn } from './sockets.ts';
import { type TunnelCounts, TunnelListener } from './tunnel-listener.ts';
import { agentVersions, type VersionRange } from './versions.ts';

/** How long open connections may take to end when the pod is stopped, in milliseconds. */
const farewellLimit = 300;
/** A port can be in use for a moment, by the container that stood here before; ms between attempts. */
const listenAgainAfter = 500;
/**
 * How long a lost workstation is waited for, in milliseconds: the pod stays ready, and new connections are held. A network
 * that changes or an API server that starts again is back sooner; callers wait no longer for a program that is gone.
 */
const patience = 5_000;

export interface AgentOptions {
  readonly log: AgentLog;
  /** Milliseconds of a heartbeat's tick; for tests. */
  readonly heartbeatTick?: number;
  /** Milliseconds for which a lost workstation is waited for; for tests. */
  readonly patience?: number;
  /** Of the protocol, that it speaks; for tests. */
  readonly versions?: VersionRange;
  /** Milliseconds after which a silent stream of datagrams is closed; for tests. */
  readonly datagramIdle?: number;
  /** For tests. */
  readonly dialLimits?: DialLimits;
  /** Connections that wait for a tunnel at most; for tests. */
  readonly mostHeld?: number;
}

export interface Agent {
  readonly tunnelPort: number;
  readonly healthPort: number;
  /** The key by which it proves itself, SPKI DER; it is in the log too. */
  readonly publicKey: Buffer;
  /** Ports that are listened on now; empty without a tunnel, and when it has been waited for in vain. */
  readonly ports: readonly number[];
  readonly ready: boolean;
  /** What there is at the moment, of all that limits.ts limits. */
  readonly counts: TunnelCounts & { readonly held: number };
  /** Stops listening, lets open connections end for 300 ms, then drops them. */
  close(): Promise<void>;
}

/** Starts the agent. Resolves when the tunnel port and the health port are listened on; rejects if either cannot be. */
export async function startAgent(configuration: AgentConfiguration, options: AgentOptions): Promise<Agent> {
  const keys = new KeyRing(configuration.publicKey);
  const identity = newIdentity();
  // Before anything listens: whoever connects shall find the key in the log.
  const log = announce(identity, options.log);
  const readiness = new Readiness();
  const held = options.mostHeld ?? mostHeld;
  let listeners: InboundListeners | undefined;
  let current: ClientHttp2Session | undefined;
  let giveUp: NodeJS.Timeout | undefined;

  const openListeners = async (session: ClientHttp2Session): Promise<void> => {
    while (current === session) {
      try {
        const opened = await openInboundListeners(configuration.ports, session, held, log);
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
    clearTimeout(giveUp);
    readiness.set(false);
    current = undefined;
    listeners?.close();
    listeners = undefined;
  };
  const waitForNext = (): void => {
    current = undefined;
    if (listeners === undefined) return;
    listeners.hold();
    giveUp = setTimeout(() => {
      log('info', 'the workstation did not come back');
      closeListeners();
    }, options.patience ?? patience);
  };

  const tunnel = new TunnelListener({
    session: configuration.session,
    identity,
    keys,
    files: configuration.files,
    log,
    versions: options.versions ?? agentVersions,
    onLive: (session) => {
      clearTimeout(giveUp);
      current = session;
      if (listeners === undefined) void openListeners(session);
      else listeners.use(session);
    },
    onLost: (orderly) => (orderly ? closeListeners() : waitForNext()),
    ...(options.heartbeatTick === undefined ? {} : { heartbeatTick: options.heartbeatTick }),
    ...(options.datagramIdle === undefined ? {} : { datagramIdle: options.datagramIdle }),
    ...(options.dialLimits === undefined ? {} : { dialLimits: options.dialLimits }),
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
    publicKey: identity.publicKey,
    get ports() {
      return listeners?.ports ?? [];
    },
    get ready() {
      return readiness.ready;
    },
    get counts() {
      return { ...tunnel.counts, held: listeners?.held ?? 0 };
    },
    close: async () => {
      closeListeners();
      health.close();
      await tunnel.close(farewellLimit);
      health.closeAllConnections();
    },
  };
}
