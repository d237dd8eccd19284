/**
 * What we know of each real debug adapter: one file a debug adapter, each exporting a `DebuggerProfile`.
 * This folder owns how they are found, started and given environment variables, and what they can do; adapter/dap
 * owns the conversation with them.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';

/** The user's `delegate` section: launch or attach arguments in the words of the real debug adapter. */
export type DelegateArguments = Readonly<Record<string, unknown>>;

/** How to start a real debug adapter. */
export interface DelegateCommand {
  readonly argv: readonly [program: string, ...args: string[]];
  /** Where the program comes from, for messages: "VIRTUAL_ENV", "python3 on PATH". */
  readonly origin: string;
}

export interface DebuggerProfile {
  /** The names a user may write as `delegate.type`; the first is the proper one. */
  readonly types: readonly [string, ...string[]];
  /** The name for messages. */
  readonly title: string;
  /** The `adapterID` that the debug adapter expects in `initialize`. */
  readonly adapterID: string;
  /** How DAP reaches it. */
  readonly transport: { readonly kind: 'stdio' };
  /** Whether the environment can be given with `launch`, or only when the debug adapter is started. */
  readonly environmentAt: 'launch' | 'start';
  /** What it answers to `initialize`, for when a client asks before we know how to start it. */
  readonly capabilities: DebugProtocol.Capabilities;
  /** Chooses the program; looks at the file system and the environment of this process, starts nothing. */
  command(args: DelegateArguments): DelegateCommand;
  /** Throws Problem delegate-missing, with the line that installs it, if the command cannot work. */
  check(command: DelegateCommand, signal: AbortSignal): Promise<void>;
  /** The arguments with environment variables added; the user's own win. Arguments of `attach` stay as they are. */
  applyEnvironment(
    args: DelegateArguments,
    environment: Readonly<Record<string, string>>,
    request: 'launch' | 'attach',
  ): Record<string, unknown>;
}
