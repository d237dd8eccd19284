/**
 * The HTTP/2 settings of both ends of the tunnel.
 *
 * Node's limits against hostile peers would close a tunnel that is merely busy (ENHANCE_YOUR_CALM, a reset burst of 1000
 * streams), so they are raised: the peer has proved who it is before HTTP/2 starts.
 */
import type { ClientSessionOptions, Http2Session, ServerSessionOptions } from 'node:http2';

/** Receive windows in bytes: what one stream, and all streams together, may have under way to a reader that is slow. */
export interface Windows {
  readonly stream: number;
  readonly session: number;
}

/** The agent shares the memory limit of the container it replaces. 8 MiB is 0.8 Gbit/s at 80 ms round trip. */
export const agentWindows: Windows = { stream: 8 * 1024 * 1024, session: 64 * 1024 * 1024 };

/**
 * A program at a breakpoint reads nothing, and only the streams that it does not read may wait for it.
 * So the workstation's session window is too large for a few such streams to fill.
 */
export const workstationWindows: Windows = { stream: 16 * 1024 * 1024, session: 1024 * 1024 * 1024 };

/** Options for `http2.connect` and `http2.performServerHandshake`. */
export function sessionOptions(windows: Windows): ClientSessionOptions & ServerSessionOptions {
  return {
    maxSessionMemory: 4096,
    maxOutstandingPings: 100,
    maxSessionRejectedStreams: 1_000_000,
    maxSessionInvalidFrames: 1_000_000,
    streamResetBurst: 1_000_000,
    streamResetRate: 1_000_000,
    peerMaxConcurrentStreams: 1_000_000,
    settings: { enablePush: false, initialWindowSize: windows.stream, maxConcurrentStreams: 1_000_000 },
  };
}

/** Opens the session's receive window, which is no HTTP/2 setting and can be set only on a connected session. */
export function openSessionWindow(session: Http2Session, windows: Windows): void {
  session.once('connect', () => session.setLocalWindowSize(windows.session));
}
