/** The tasks of this window's folders, and which of ours run before a debug session. */
import * as vscode from 'vscode';
import { namesBefore, parseTasks, type WrittenTask } from './written-tasks.ts';

/** The tasks of this folder's tasks.json, and those of the workspace and the user. */
export function writtenTasks(folder: vscode.WorkspaceFolder | undefined): readonly WrittenTask[] {
  const inspected = vscode.workspace.getConfiguration('tasks', folder?.uri).inspect<unknown>('tasks');
  return [inspected?.workspaceFolderValue, inspected?.workspaceValue, inspected?.globalValue].flatMap(parseTasks);
}

/** The names of our tasks that connect before a session whose `preLaunchTask` this is. */
export function tasksBefore(preLaunchTask: unknown, folder: vscode.WorkspaceFolder | undefined): readonly string[] {
  return namesBefore(preLaunchTask, writtenTasks(folder));
}
