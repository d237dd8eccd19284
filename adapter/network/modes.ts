/** Which way of making names work is taken, and why. */
import type { NetworkMode } from './workstation-network.ts';

/** What is known of this computer before anything is tried. */
export interface Circumstances {
  readonly platform: NodeJS.Platform;
  /** We start the program ourselves, so it can be started in a private network. */
  readonly startsProgram: boolean;
  /** How the privileged helper would be started; undefined if it cannot be. Only `graphical` asks the user. */
  readonly elevation: 'direct' | 'sudo' | 'graphical' | undefined;
  /** pasta is installed, which connects a private network with the rest of the world. */
  readonly pasta: boolean;
}

/** A way that `auto` tries, with the reason for its place in the order. */
export interface Candidate {
  readonly mode: NetworkMode;
  readonly reason: string;
}

/**
 * The ways in the order in which `auto` tries them: first what needs no question and takes nothing away, then what asks
 * for privileges, then what works less well (docs/decisions/0015-network-modes.md).
 */
export function autoOrder({ platform, startsProgram, elevation, pasta }: Circumstances): readonly Candidate[] {
  const hosts = (reason: string): Candidate => ({ mode: 'hosts', reason });
  const namespace = (reason: string): Candidate => ({ mode: 'namespace', reason });
  const isPossible = platform === 'linux' && startsProgram;
  const order: Candidate[] = [];
  if (elevation === 'direct' || elevation === 'sudo') {
    order.push(
      hosts(elevation === 'direct' ? 'it needs no question here: you are root' : 'sudo asks no question here'),
    );
    if (isPossible) order.push(namespace('it needs no privileges'));
  } else if (isPossible && pasta) {
    order.push(namespace('it needs no privileges'), hosts('it works for all programs'));
  } else {
    order.push(hosts('it works for all programs'));
    if (isPossible) order.push(namespace('it needs no privileges'));
  }
  return [...order, { mode: 'env', reason: 'it needs nothing of this computer' }];
}

/** One sentence for the user: what was taken, why, and what was tried before it. */
export function explainChoice(taken: Candidate, refused: readonly { mode: NetworkMode; why: string }[]): string {
  const tried = refused.map(({ mode, why }) => ` Mode ${mode} is not possible: ${why}`).join('');
  return `Network mode ${taken.mode}, because ${taken.reason}.${tried}`;
}
