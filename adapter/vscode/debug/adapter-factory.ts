/** Starts our own debug adapter, a process of our command line, for a debug session of our type. */
import * as vscode from 'vscode';
import { z } from 'zod';
import type { ExtensionProgram } from '../program.ts';

const delegateTypeSchema = z.object({ delegate: z.object({ type: z.string() }) });

export class OwnDebugAdapter implements vscode.DebugAdapterDescriptorFactory {
  readonly #program: () => Promise<ExtensionProgram>;
  readonly #fail: (error: unknown, configuration: vscode.DebugConfiguration) => undefined;

  constructor(
    program: () => Promise<ExtensionProgram>,
    fail: (error: unknown, configuration: vscode.DebugConfiguration) => undefined,
  ) {
    this.#program = program;
    this.#fail = fail;
  }

  /** The real debugger is named at once, so that VS Code hears of its filters for exceptions: it asks for them only once. */
  async createDebugAdapterDescriptor({
    configuration,
    workspaceFolder,
  }: vscode.DebugSession): Promise<vscode.DebugAdapterDescriptor | undefined> {
    try {
      const { command, args, env } = await this.#program();
      const type = delegateTypeSchema.safeParse(configuration).data?.delegate.type;
      const words = [...args, 'dap', '--in-vscode', ...(type === undefined ? [] : ['--delegate', type])];
      const cwd = workspaceFolder?.uri.fsPath;
      return new vscode.DebugAdapterExecutable(command, words, { env: { ...env }, ...(cwd !== undefined && { cwd }) });
    } catch (error) {
      return this.#fail(error, configuration);
    }
  }
}
