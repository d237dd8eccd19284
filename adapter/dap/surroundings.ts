/** The seam between the debug adapter and what lies around the program: the cluster, though this folder does not know it. */
import type { Problem } from '../problem.ts';

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
