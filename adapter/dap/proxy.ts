/**
 * The debug adapter of kubernetes-local: a transparent DAP proxy between the client and the real debug adapter.
 * This folder owns framing, sequence numbers, states, progress and the end of a debug session. It knows nothing of
 * Kubernetes: what has to be connected before and undone after the program is behind `Surroundings`.
 */
import type { Readable, Writable } from 'node:stream';
import type { DebuggerProfile } from '../debuggers/profile.ts';
import type { Log } from '../diagnostics/log.ts';
import type { Problem } from '../problem.ts';
import { Conversation } from './conversation.ts';

/** What the debug adapter needs around the real one; implemented over the session daemon by cli/dap.ts. */
export interface Surroundings {
  /** Validates the client's launch or attach arguments and says which delegate they name. Throws Problem. */
  parse(args: unknown, request: 'launch' | 'attach'): ParsedLaunch;
  /**
   * Connects. Resolves with the environment to give to the program. Rejects with Problem; an aborted signal means that
   * the user gave up, and everything done so far is undone by `disconnect`, which always follows.
   */
  connect(args: unknown, hooks: ConnectHooks, signal: AbortSignal): Promise<Connection>;
  /** Tells which processes are the program's, each once (for the diagnosis "listens on another port"). */
  programStarted(pid: number): void;
  /** Undoes everything; resolves when all is undone or `budget` ms passed ('finishing': others finish it). Idempotent. */
  disconnect(budget: number): Promise<'undone' | 'finishing'>;
}

export interface ParsedLaunch {
  readonly delegateType: string;
  readonly request: 'launch' | 'attach';
  readonly delegateArguments: Record<string, unknown>;
}

export interface ConnectHooks {
  /** Progress in the user's words; `percentage` is 0 to 100. */
  progress(text: string, percentage?: number): void;
  /** Something the user should know, now or at any time until the end of the session. */
  notice(level: 'info' | 'warning', text: string): void;
  /** The connection is gone for good: the program is ended and the session is over. */
  lost(problem: Problem): void;
}

export interface Connection {
  readonly environment: Readonly<Record<string, string>>;
  /** One line for the debug console. */
  readonly summary: string;
}

export interface ServeOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** The type of the real debug adapter, if it is known before the client's `initialize`. */
  readonly delegate?: string;
  readonly surroundings: Surroundings;
  readonly log: Log;
  /** Called with each DAP message in both directions, values of environment variables masked. */
  readonly trace?: (line: string) => void;
  /** The debuggers to choose from, if not all. */
  readonly profiles?: readonly DebuggerProfile[];
  /** Waiting times that differ from the usual ones. */
  readonly timing?: Partial<Timing>;
}

/** Waiting times, in ms. */
export interface Timing {
  /** How long `launch` of a client may stay open while we connect; by clientID. Others wait without end. */
  readonly earlyAnswer: Readonly<Record<string, number>>;
  /** For the real debug adapter's answer to `initialize`. */
  readonly initialize: number;
  /** For its answer to `disconnect`. VS Code ends us 2 s after it asked. */
  readonly disconnect: number;
  /** For the surroundings to be undone before the client hears of the end. */
  readonly undo: number;
  /** For the client's `disconnect` after we said that the session is over. */
  readonly farewell: number;
  /** For the real debug adapter and its program to end at end of file, then at SIGTERM. */
  readonly endOfFile: number;
  readonly sigterm: number;
}

const usualTiming: Timing = {
  // dape gives up `launch` after 10 s and kills us; Helix ("hx") any request after 20 s (field notes, §1.2).
  earlyAnswer: { dape: 6000, hx: 15_000 },
  initialize: 15_000,
  disconnect: 1000,
  undo: 1500,
  farewell: 2000,
  endOfFile: 500,
  sigterm: 500,
};

/**
 * Serves one debug session until its end, which is also SIGTERM, SIGINT or SIGHUP of this process.
 * Resolves with the exit code of the process; never rejects.
 */
export function serve(options: ServeOptions): Promise<number> {
  return new Conversation(options, { ...usualTiming, ...options.timing }).run();
}
