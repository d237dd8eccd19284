/** Tasks of our type: those that tasks.json has, and those that are offered for the targets that are known. */
import * as vscode from 'vscode';
import { z } from 'zod';
import type { Connections } from '../connections/connections.ts';
import { folderPath } from '../folders.ts';
import { category, debugType, problemMatcher, taskType } from '../identifiers.ts';
import { ConnectTerminal } from './connect-terminal.ts';
import { DisconnectTerminal } from './disconnect-terminal.ts';
import { offeredTasks } from './offered-tasks.ts';
import type { TaskConnections } from './task-connections.ts';
import { writtenTasks } from './tasks-before.ts';

const definitionSchema = z.looseObject({
  type: z.string(),
  action: z.enum(['connect', 'disconnect']).default('connect'),
});

export class KubernetesTasks implements vscode.TaskProvider {
  readonly #connections: Connections;
  readonly #tasks: TaskConnections;

  constructor(connections: Connections, tasks: TaskConnections) {
    this.#connections = connections;
    this.#tasks = tasks;
  }

  provideTasks(): vscode.Task[] {
    return (vscode.workspace.workspaceFolders ?? []).flatMap((folder) => {
      const launches: unknown = vscode.workspace.getConfiguration('launch', folder.uri).get('configurations');
      const offered = offeredTasks([...(Array.isArray(launches) ? launches : []), ...writtenTasks(folder)], {
        debugType,
        taskType,
      });
      return offered.map(({ name, definition }) => this.#task({ ...definition, type: taskType }, folder, name));
    });
  }

  /** A task of tasks.json: the same definition, with what it does. */
  resolveTask(task: vscode.Task): vscode.Task | undefined {
    if (!definitionSchema.safeParse(task.definition).success) return undefined;
    return this.#task(task.definition, task.scope ?? vscode.TaskScope.Workspace, task.name);
  }

  #task(
    definition: vscode.TaskDefinition,
    scope: vscode.WorkspaceFolder | vscode.TaskScope,
    name: string,
  ): vscode.Task {
    const isFolder = typeof scope === 'object';
    const folder = folderPath(isFolder ? scope : undefined);
    const connects = definition.action !== 'disconnect';
    const execution = new vscode.CustomExecution(async (resolved) => {
      const { action: _action, type: _type, ...rest } = definitionSchema.parse(resolved);
      const task = { name, folder, definition: { type: debugType, ...withoutEditorKeys(rest) } };
      return connects
        ? new ConnectTerminal(task, this.#connections, this.#tasks)
        : new DisconnectTerminal(task, this.#connections);
    });
    const task = new vscode.Task(
      definition,
      isFolder ? scope : vscode.TaskScope.Workspace,
      name,
      taskType,
      execution,
      connects ? [`$${problemMatcher}`] : [],
    );
    task.isBackground = connects;
    task.detail = connects ? `${category}: connects until it is ended` : `${category}: undoes everything`;
    task.presentationOptions = { reveal: vscode.TaskRevealKind.Silent, panel: vscode.TaskPanelKind.Dedicated };
    return task;
  }
}

/** VS Code adds keys of its own to a definition, which are no keys of ours. */
function withoutEditorKeys(definition: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(definition).filter(([key]) => !editorKeys.has(key) && !key.startsWith('_') && !key.startsWith('$')),
  );
}

const editorKeys: ReadonlySet<string> = new Set([
  'id',
  'label',
  'taskName',
  'group',
  'problemMatcher',
  'isBackground',
  'presentation',
  'dependsOn',
  'dependsOrder',
  'detail',
  'runOptions',
  'options',
  'icon',
  'hide',
]);
