/** One HTTP/2 session of the agent, watched until it is gone. */
import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { startHeartbeat } from './heartbeat.ts';
import { agentWindows } from './http2.ts';
import { goodbyeCode } from './protocol.ts';
import { adaptWindows } from './receive-window.ts';

export interface Loss {
  readonly reason: string;
  /** The other side said that it goes (`goodbyeCode`); false: it fell silent, or the connection broke. */
  readonly orderly: boolean;
}

/** Sets the session's windows, sends heartbeats, and calls `onGone` once when the session has ended. */
export function watchSession(
  session: Http2Session,
  socket: Socket,
  onGone: (loss: Loss) => void,
  heartbeatTick?: number,
): void {
  let reason = 'the connection closed';
  let orderly = false;
  const bytesReceived = (): number => socket.bytesRead;
  const heartbeat = startHeartbeat({
    session,
    bytesReceived,
    onDead: () => {
      reason = 'the workstation is silent';
      session.destroy(new Error(reason));
    },
    ...(heartbeatTick === undefined ? {} : { tick: heartbeatTick }),
  });
  adaptWindows(session, agentWindows, { bytesReceived, roundTripTime: () => heartbeat.roundTripTime });
  session.on('goaway', (code) => {
    orderly = code === goodbyeCode;
  });
  session.on('error', (error) => {
    reason = error.message;
  });
  session.once('close', () => {
    heartbeat[Symbol.dispose]();
    onGone({ reason, orderly });
  });
}
