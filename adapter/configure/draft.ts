/** What the questions lead to, and what an editor's files have to offer for it. */
import type { Written } from './files/text-file.ts';

export type Settings = Readonly<Record<string, unknown>>;

/** A configuration that starts the user's program without a cluster. */
export interface ExistingConfiguration {
  readonly name: string;
  readonly settings: Settings & { readonly type: string };
}

/** A configuration of ours that is there already. */
export interface OwnConfiguration {
  readonly name: string;
  readonly target: string;
  readonly namespace: string | undefined;
  readonly context: string | undefined;
  readonly container: string | undefined;
  readonly ports: Readonly<Record<string, number>>;
  /** The type of its real debugger, for the user. */
  readonly debugger: string | undefined;
}

/** How the program is started: the real debugger's configuration, and what of it stays with the editor. */
export interface Program {
  readonly delegate: Settings & { readonly type: string };
  /** Keys that are the editor's business: preLaunchTask, presentation … */
  readonly beside: Settings;
}

/** The configuration to be written. */
export interface Draft {
  readonly name: string;
  /** target, context, namespace, container, ports … as in a launch configuration. */
  readonly place: Settings & { readonly target: string };
  /** undefined: the one of the configuration that is replaced stays. */
  readonly program: Program | undefined;
  /** The name of the configuration of ours that is replaced. */
  readonly replaces: string | undefined;
}

export interface Outcome {
  /** What is written, or would be: a launch configuration. */
  readonly configuration: Record<string, unknown>;
  readonly written: readonly Written[];
  /** What is left to do for the user, one line each. */
  readonly advice: readonly string[];
}

/** How an editor writes what VS Code writes as variables, and which terminal it has for the program. */
export interface Dialect {
  /** VS Code's variable → what stands for it; one that is not here means nothing to the editor. `all`: they stay as they are. */
  readonly variables: Readonly<Record<string, string>> | 'all';
  /** Whether the editor has a terminal for the program; else its output goes to the debug console. */
  readonly terminal: boolean;
  /** Whether keys for the editor itself (tasks, presentation) mean something to it. */
  readonly tasks: boolean;
}

/** The files of one editor in one folder. */
export interface EditorFiles {
  readonly existing: readonly ExistingConfiguration[];
  readonly own: readonly OwnConfiguration[];
  readonly dialect: Dialect;
  /** Problem bad-value if a file changed meanwhile or cannot be written; then none is changed. */
  write(draft: Draft): Promise<Outcome>;
}
