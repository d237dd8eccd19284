/** Destinations as they can be reached from here, or not. */
import type { Duplex } from 'node:stream';
import type { Problem } from '../../problem.ts';
import type { Destination, DestinationPort } from './destinations.ts';

/** A destination with the address that stands for it here. */
export interface ReachableDestination {
  readonly destination: Destination;
  readonly address: string;
  /** Each of its ports with the port at that address, which is another one in mode `env` only. */
  readonly ports: readonly ReachablePort[];
}

/** A port of a destination, and where it is at the destination's address here. */
export interface ReachablePort extends DestinationPort {
  readonly localPort: number;
}

/** A destination that cannot be offered here, and why. */
export interface LeftOut {
  readonly destination: Destination;
  readonly problem: Problem;
}

/** Opens a connection to a destination's port in the cluster; for datagrams a stream of frames as in agent/datagrams.ts. */
export type DialDestination = (destination: Destination, port: number) => Duplex;
