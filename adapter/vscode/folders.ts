/** The folder that relative paths mean. */
import { homedir } from 'node:os';
import * as vscode from 'vscode';

/** The path of this workspace folder, or of the first; without any, the home folder. */
export function folderPath(folder: vscode.WorkspaceFolder | undefined): string {
  return (folder ?? vscode.workspace.workspaceFolders?.[0])?.uri.fsPath ?? homedir();
}
