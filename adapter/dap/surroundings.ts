/** The seam between the debug adapter and what lies around the program: the cluster, though this folder does not know it. */
import type { DebugAdapterSettings } from '../debuggers/profile.ts';
import type { Problem } from '../problem.ts';
import type { Place } from './place.ts';

/** All that surroundings say of themselves; `format` is the one that was asked for. */
export type DiagnosticsBody =
  | { readonly format: 'json'; readonly diagnosis: object }
  | { readonly format: 'text'; readonly text: string };

/** What the debug adapter needs around the real one; implemented over the session daemon by cli/dap.ts. */
export interface Surroundings {
  /** Validates the client's launch or attach arguments and says which delegate they name. Throws Problem. */
  parse(args: unknown, request: 'launch' | 'attach'): ParsedLaunch;
  /**
   * Connects. Resolves with the environment to give to the program. Rejects with Problem; an aborted signal means that
   * the user gave up, and everything done so far is undone by `disconnect`, which always follows.
   */
  connect(args: unknown, hooks: ConnectHooks, signal: AbortSignal): Promise<Connection>;
  /** Tells of each process of this debug session once, as soon as it is known, also before and while `connect` runs. */
  processStarted(pid: number, role: ProcessRole): void;
  /**
   * Undoes everything; resolves when all is undone or `budget` ms passed ('finishing': others finish it). Idempotent.
   * With `keep`, the surroundings stay for what follows, and are undone after that without anybody's help.
   */
  disconnect(budget: number, keep?: Keep): Promise<'undone' | 'finishing' | 'kept'>;
  /** All that is known of the surroundings, before, while and after they are connected. Secrets are masked. */
  diagnose?(format: DiagnosticsBody['format']): Promise<DiagnosticsBody>;
}

/**
 * `debugger`: the debug adapter and its like; `program`: the program; both are ended, with all that they started, should
 * this process be killed. `attached`: a program that was not started by us, so it is not ours to end. Programs are also
 * named for the diagnosis "listens on another port".
 */
export type ProcessRole = 'debugger' | 'program' | 'attached';

/** Until when surroundings are kept after a debug session. */
export type Keep =
  /** The client starts the program again: for the next session, for at most `ms`. */
  | { readonly for: 'restart'; readonly ms: number }
  /** The program was left running: for as long as it does. */
  | { readonly for: 'program' };

export interface ParsedLaunch {
  readonly delegateType: string;
  readonly request: 'launch' | 'attach';
  readonly delegateArguments: Record<string, unknown>;
  /** How the delegate is to be started or reached, if not in its usual way. */
  readonly debugAdapter?: DebugAdapterSettings;
}

/** A question with all its answers. Dismissing it is none of them. */
export interface Question {
  readonly about: string;
  readonly title: string;
  readonly text: string;
  readonly choices: readonly { readonly id: string; readonly label: string }[];
}

export interface ConnectHooks {
  /** Progress in the user's words; `percentage` is 0 to 100. */
  progress(text: string, percentage?: number): void;
  /** Something the user should know, now or at any time until the end of the session. */
  notice(level: 'info' | 'warning', text: string): void;
  /** Asks the user, where the client can; undefined otherwise. */
  readonly ask?: (question: Question, signal: AbortSignal) => Promise<string | undefined>;
  /** The connection is gone for good: the program is ended and the session is over. */
  lost(problem: Problem): void;
}

export interface Connection {
  readonly environment: Readonly<Record<string, string>>;
  /** Where the program has to be started to see its surroundings; undefined if anywhere on this computer. */
  readonly place?: Place;
  /** One line for the debug console. */
  readonly summary: string;
}
