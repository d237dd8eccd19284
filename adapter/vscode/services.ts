/** What the parts of the extension share. */
import type * as vscode from 'vscode';
import type { Connections } from './connections/connections.ts';
import type { ExtensionProgram } from './program.ts';

export interface Services {
  readonly connections: Connections;
  /** How our command line is started. Problem command-missing if there is no Node that can. */
  readonly program: () => Promise<ExtensionProgram>;
  readonly output: vscode.LogOutputChannel;
}
