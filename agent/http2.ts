/**
 * The HTTP/2 settings of both ends of the tunnel, and the limits of what each may have to hold.
 *
 * Node's limits against hostile peers would close a tunnel that is merely busy (ENHANCE_YOUR_CALM, a reset burst of 1000
 * streams), so they are raised: the peer has proved who it is before HTTP/2 starts.
 */
import type { ClientSessionOptions, ServerSessionOptions } from 'node:http2';
import type { WindowLimits } from './receive-window.ts';

const mebi = 1024 * 1024;

/** What an agent needs that carries nothing, in bytes, with what its engine may add before it collects. */
const agentAtRest = 80 * mebi;
/** Of the memory that is left, for each of the three: both connections of a tunnel and what Node holds of it come on top. */
const agentPart = 0.18;
const leastAgentWindow = 2 * mebi;

/**
 * The agent shares the memory limit of the container it replaces, in bytes. All that waits in it for readers that stand still stays
 * near `unread`, however many they are; what is under way at that moment, at most `session`, comes on top. Node gives a
 * window back when half of it is used: 64 MiB are 3.3 Gbit/s over 80 ms.
 */
export function agentWindowsFor(memory: number): WindowLimits {
  const part = Math.max(leastAgentWindow, Math.floor((memory - agentAtRest) * agentPart));
  return {
    stream: Math.min(56 * mebi, part),
    session: Math.min(64 * mebi, part),
    unread: Math.min(32 * mebi, part),
  };
}

/** Of this process. */
export const agentWindows = agentWindowsFor(process.constrainedMemory() || Number.POSITIVE_INFINITY);

/** A program at a breakpoint reads nothing, and only the streams that it does not read may wait for it. */
export const workstationWindows: WindowLimits = { stream: 56 * mebi, session: 64 * mebi, unread: 256 * mebi };

/** Options for `http2.connect` and `http2.performServerHandshake`; `adaptWindows` does the rest. */
export function sessionOptions(windows: WindowLimits): ClientSessionOptions & ServerSessionOptions {
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
