/** What is known of sessions in this window, for whoever shows it. */
import type { Connection, Status } from '../../session/protocol.ts';

export interface HeldConnection {
  readonly key: string;
  readonly connection: Connection;
  readonly target: string;
  /** "namespace of context". */
  readonly place: string;
}

/** A session of this computer that another program holds (terminal, other window), or that was interrupted. */
export interface ForeignSession {
  readonly key: string;
  readonly target: string;
  readonly place: string;
  readonly state: Status['state'] | 'interrupted';
}

export type ConnectionState =
  | { readonly kind: 'none' }
  | { readonly kind: 'connecting'; readonly target: string; readonly step: string }
  | {
      readonly kind: 'connected';
      readonly held: readonly HeldConnection[];
      readonly foreign: readonly ForeignSession[];
    }
  | { readonly kind: 'undoing'; readonly target: string };
