/** What every way of making names lead into the cluster has in common; hosts-network, namespace-network and env-network are the ways. */
import type { Socket } from 'node:net';
import type { ShadowedName } from './hosts/user-entries.ts';
import type { Destination } from './names/destinations.ts';
import type { LeftOut, ReachableDestination } from './names/reachable-destination.ts';
import type { MountRemark, ProgramMount } from './namespace/shown-mounts.ts';

export type { MountRemark, ProgramMount } from './namespace/shown-mounts.ts';

/** `hosts`: the hosts file; `namespace`: a private network of Linux; `env`: only environment variables. */
export type NetworkMode = 'hosts' | 'namespace' | 'env';

/** One way of making names lead into the cluster, for one session. Disposing closes its listeners and takes its names back. */
export interface WorkstationNetwork extends AsyncDisposable {
  readonly mode: NetworkMode;
  /** What the user has to know about this way, in full sentences. */
  readonly notes: readonly string[];
  /** Words before a command that make it see these names; empty where every program does. */
  readonly prefix: readonly string[];
  /** The socket through which other processes reach ports of programs there; undefined where they are this computer's. */
  readonly dialSocket: string | undefined;
  /** Opens listeners for exactly these, in place of the earlier ones; those that stay keep address and connections. */
  open(destinations: readonly Destination[], signal: AbortSignal): Promise<void>;
  /** Makes the names of what is open known, and those of what is not unknown. Returns those that lines of the user's map too. */
  publish(signal: AbortSignal): Promise<readonly ShadowedName[]>;
  /**
   * Makes files and folders of this computer appear at the paths that they have in the pod, for the user's program only,
   * besides those shown earlier. Returns what the user has to know: what cannot be shown, or hides something of the
   * computer's. Only mode `namespace` has a place of its own for that; elsewhere nothing is done and nothing returned.
   */
  showMounts(mounts: readonly ProgramMount[], signal: AbortSignal): Promise<readonly MountRemark[]>;
  /** What is open. */
  readonly reachable: readonly ReachableDestination[];
  readonly leftOut: readonly LeftOut[];
  /** Resolves with the reason if it ends by itself: then nothing of it can be used any more. */
  readonly closed: Promise<string>;
  /** A connection to the user's program; undefined if nothing listens there. */
  dialProgram(port: number): Promise<Socket | undefined>;
}
