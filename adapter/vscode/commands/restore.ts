/** The command "Restore": undoes what interrupted sessions left. */
import * as vscode from 'vscode';
import type { ProblemCode } from '../../problem.ts';
import type { Services } from '../services.ts';
import { withProgress } from './progress.ts';
import { restoredText } from './restored-text.ts';
import { runProgram } from './run-program.ts';

/** In a terminal the program can ask for what it needs. */
const needsTerminal: ReadonlySet<ProblemCode> = new Set(['consent-refused', 'privileges-needed']);

/** Undoes, and shows what was undone. Problem as `kubernetes-local restore` ends with it. */
export async function restore(services: Services): Promise<void> {
  const { connections, output } = services;
  const { lines, problem } = await withProgress('Undoing what was left', (report, signal) =>
    runProgram(services, ['restore'], { signal, line: report }),
  );
  await connections.refresh();
  if (problem !== undefined) {
    if (!needsTerminal.has(problem.code)) throw problem;
    await offerTerminal(services, problem.message);
    return;
  }
  const log = 'Open Log';
  void vscode.window
    .showInformationMessage(restoredText(lines), log)
    .then((chosen) => chosen === log && output.show(true));
}

async function offerTerminal({ program }: Services, why: string): Promise<void> {
  const run = 'Run in Terminal';
  if ((await vscode.window.showWarningMessage(why, run)) !== run) return;
  const { command, args, env } = await program();
  const shellArgs = [...args, 'restore'];
  vscode.window.createTerminal({ name: 'Kubernetes Local: Restore', shellPath: command, shellArgs, env }).show();
}
