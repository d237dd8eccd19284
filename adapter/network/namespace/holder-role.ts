/** What a holder does in its namespace; program-holder.ts and services-holder.ts are the two roles. */
import type { Socket as DatagramSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import type { HolderReply, HolderRequest } from './holder-protocol.ts';

/** What a request brings: values of the reply, and a socket or server that goes with it. */
export interface Outcome extends Pick<HolderReply, 'lowPorts' | 'remarks'> {
  readonly handle?: Socket | Server | DatagramSocket;
}

export interface Holder {
  act(request: HolderRequest): Promise<Outcome>;
  /** Removes what would stay behind. */
  end(): void;
}
