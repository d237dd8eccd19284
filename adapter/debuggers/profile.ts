/**
 * What we know of each real debug adapter: one file a debug adapter, each exporting a `DebuggerProfile`.
 * This folder owns how they are found, started and given environment variables, and what they can do; adapter/dap
 * owns the conversation with them.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';

/** The user's `delegate` section: launch or attach arguments in the words of the real debug adapter. */
export type DelegateArguments = Readonly<Record<string, unknown>>;

/** Where a debug adapter listens: a TCP port of this computer, or a Unix socket or named pipe. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

/** How DAP reaches a debug adapter. */
export type Transport =
  | { readonly kind: 'stdio' }
  /** It listens, and says where: the first match of `ready` in its output; group `port`, and `host` if not 127.0.0.1. */
  | { readonly kind: 'server'; readonly ready: RegExp }
  /** It listens at the private socket whose path replaces `{socket}` in its arguments; it may say so with `ready`. */
  | { readonly kind: 'socket'; readonly ready?: RegExp }
  /** It listens, without a word, at the port that it is told: this one, or a free one that replaces `{port}`. */
  | { readonly kind: 'port'; readonly host: string; readonly port?: number }
  /** It connects to us, at the port of 127.0.0.1 that replaces `{port}` in its arguments. */
  | { readonly kind: 'callback' }
  /** It runs already; nothing is started or ended. */
  | { readonly kind: 'running'; readonly endpoint: Endpoint };

/** How to start a real debug adapter. */
export interface DelegateCommand {
  /** The program and its arguments; empty if the debug adapter runs already. */
  readonly argv: readonly string[];
  /** Where the program comes from, for messages: "VIRTUAL_ENV", "python3 on PATH". */
  readonly origin: string;
  readonly transport: Transport;
  /** How it is started and reached instead where it runs in a network of its own, from which it cannot call us. */
  readonly elsewhere?: { readonly argv: readonly string[]; readonly transport: Transport };
  /** The debug adapter's own working directory, if it matters. */
  readonly cwd?: string;
  /** Variables of its own process that win over all others: the user's, for those that take them only there. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** The launch configuration's `debugAdapter`, or the command after `--` on our command line. */
export interface DebugAdapterSettings {
  /** Program and arguments that start the debug adapter, instead of the one that would be found. */
  readonly command?: readonly string[];
  /** Where it listens: with `command` the port that it is told, alone a debug adapter that runs already. */
  readonly host?: string;
  readonly port?: number;
  /** A regular expression for the line by which a server says where it listens; group `port`. */
  readonly readyPattern?: string;
  /** How it takes environment variables: in `launch` as an object or a list of "K=V", or from its own process. */
  readonly environment?: 'object' | 'list' | 'process';
  /** Their key in `launch`; usually "env". */
  readonly environmentKey?: string;
}

/** What is known when a debug adapter is to be started; before `launch` that is little. */
export interface Given {
  readonly args: DelegateArguments;
  readonly debugAdapter?: DebugAdapterSettings;
  /** The client can show one debug session only: nobody would attach to further processes of the program. */
  readonly oneSession?: boolean;
}

/** What the debug adapter is asked at last. */
interface DelegateRequest {
  readonly command: 'launch' | 'attach';
  readonly arguments: Record<string, unknown>;
}

export interface DebuggerProfile {
  /** The names a user may write as `delegate.type`; the first is the proper one. */
  readonly types: readonly [string, ...string[]];
  /** The name for messages. */
  readonly title: string;
  /** The `adapterID` that the debug adapter expects in `initialize`. */
  readonly adapterID: string;
  /** When it can be started: some have the program on their own command line, and are not there before `launch`. */
  readonly startsAt: 'initialize' | 'launch';
  /** Its process is that of the program: it ends when that ends, and does not say so. */
  readonly isProgram?: true;
  /** Its `restart` is of no use, though it says that it can. */
  readonly restartsBadly?: true;
  /** What it answers to `initialize`, for when a client asks before we know how to start it. */
  readonly capabilities: DebugProtocol.Capabilities;
  /** Whether the environment goes into `launch`, or to the debug adapter's own process, which then starts late. */
  environmentAt(given: Given): 'launch' | 'start';
  /**
   * Chooses the program; looks at the file system and the environment of this process, starts nothing.
   * Throws Problem if the configuration lacks something that only the user knows.
   */
  command(given: Given): DelegateCommand;
  /** Throws Problem delegate-missing, with the line that installs it, if the command cannot work. */
  check(command: DelegateCommand, signal: AbortSignal): Promise<void>;
  /** The request for the debug adapter, environment variables added (the user's own win) unless it is an attach. */
  request(given: Given, environment: Readonly<Record<string, string>>, request: 'launch' | 'attach'): DelegateRequest;
  /**
   * Where a child session is served that the debug adapter asked for, from its configuration (the arguments of
   * `startDebugging`, or the body of debugpy's `debugpyAttach`); `own` is where the parent's debug adapter listens.
   * Undefined: by a debug adapter of its own, as any other session.
   */
  childEndpoint?(configuration: DelegateArguments, own: Endpoint | undefined): Endpoint | undefined;
}
