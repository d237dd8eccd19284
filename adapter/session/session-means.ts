/** What a session is made from, and what it works with, whichever way it connects. */
import type { Cluster } from '../cluster/cluster.ts';
import type { ResolvedTarget } from '../cluster/target.ts';
import type { Log } from '../diagnostics/log.ts';
import type { Problem } from '../problem.ts';
import type { AgentConnections } from './agents/agent-connections.ts';
import type { LeaseKeeping } from './holding/lease-keeping.ts';
import type { Journal } from './journal/journal.ts';
import type { SessionVolumes } from './program/session-volumes.ts';
import type { ConnectRequest, Notice } from './protocol.ts';
import type { Ask } from './questions/ask.ts';
import type { SessionReaper } from './session-reaper.ts';
import type { Step } from './timings.ts';
import type { Workstation } from './workstation/workstation.ts';

export interface SessionOptions {
  readonly id: string;
  readonly request: ConnectRequest;
  readonly cluster: Cluster;
  readonly journal: Journal;
  readonly logFile: string;
  /** The session's own folder on disk. */
  readonly folder: string;
  readonly log: Log;
  /** The command that starts this program; the privileged helper is one of its processes. */
  readonly program: readonly string[];
  /** The connect as a whole, for the timing of its parts. */
  readonly step: Step;
  progress(text: string): void;
  notice(notice: Notice): void;
  /** Asks the user, through the client that connects. */
  readonly ask: Ask;
  /** The processes of the clients. */
  clients(): readonly number[];
  /** The session cannot stand any longer; its owner undoes it. */
  lost(problem: Problem): void;
}

/** What is begun on the way, and is ended with the session even if that never stands. */
export interface Begun {
  readonly target: ResolvedTarget;
  readonly volumes: SessionVolumes;
  readonly reaper: SessionReaper;
}

export interface SessionMeans {
  readonly options: SessionOptions;
  readonly lease: LeaseKeeping;
  readonly connections: AgentConnections;
  readonly workstation: Workstation;
  /** Aborted when the session ends. */
  readonly ended: AbortSignal;
  /** Aborted before the undo begins, which is no work of somebody else's. */
  readonly watching: AbortSignal;
  /** Process ids of the user's program, as far as they are known. */
  programs(): readonly number[];
  /** To be called as soon as there is one of them. */
  begun(parts: Partial<Begun>): void;
}
