/** Which folder of the workspace a command means. */
import * as vscode from 'vscode';
import { Problem } from '../../problem.ts';

/**
 * The only folder, that of the file in the editor, or the one that the user chooses. Problem cancelled; bad-arguments if no
 * folder is open.
 */
export async function workspaceFolder(): Promise<vscode.WorkspaceFolder> {
  const [first, ...others] = vscode.workspace.workspaceFolders ?? [];
  if (first === undefined) {
    throw new Problem({
      code: 'bad-arguments',
      what: 'No folder is open.',
      why: 'The launch configuration is written into the folder of the service.',
      remedy: 'Open the folder of the service and start again.',
    });
  }
  if (others.length === 0) return first;
  const file = vscode.window.activeTextEditor?.document.uri;
  const around = file && vscode.workspace.getWorkspaceFolder(file);
  if (around !== undefined) return around;
  const placeHolder = 'Which folder has the service?';
  const chosen = await vscode.window.showWorkspaceFolderPick({ placeHolder, ignoreFocusOut: true });
  if (chosen === undefined) throw Problem.cancelled();
  return chosen;
}
