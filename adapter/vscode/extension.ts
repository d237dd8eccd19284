/** The extension for VS Code: puts its parts in place, and leaves all sessions when the window closes. */
import * as vscode from 'vscode';
import { Problem } from '../problem.ts';
import { startReplay } from '../session/undo/replay.ts';
import { registerCommands } from './commands/register.ts';
import { Connections } from './connections/connections.ts';
import { registerDebugging } from './debug/register.ts';
import { category, taskType } from './identifiers.ts';
import { OutputLog } from './output-log.ts';
import { type ExtensionProgram, findExtensionProgram, scriptIn } from './program.ts';
import type { Services } from './services.ts';
import { settings, withSettings } from './settings.ts';
import { windowSurface } from './surface.ts';
import { KubernetesTasks } from './tasks/provider.ts';
import { TaskConnections } from './tasks/task-connections.ts';
import { registerViews } from './view/register.ts';

let connections: Connections | undefined;

/** Called by VS Code when one of our things is about to be used. */
export function activate(context: vscode.ExtensionContext): void {
  const output = vscode.window.createOutputChannel(category, { log: true });
  const log = new OutputLog(output);
  const program = () => findExtensionProgram(scriptIn(context.extensionPath), settings.node());
  connections = new Connections({
    program,
    log,
    surface: windowSurface(output, () => services),
    withSettings,
  });
  const services: Services = { connections, program, output };
  const tasks = new TaskConnections();
  context.subscriptions.push(
    output,
    connections,
    vscode.tasks.registerTaskProvider(taskType, new KubernetesTasks(connections, tasks)),
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) void connections?.refresh();
    }),
  );
  registerDebugging(context, services, tasks, log);
  registerCommands(context, services, registerViews(context, services));
  void connections.refresh();
  log.write('info', `${category} ${String(context.extension.packageJSON.version)} with ${process.execPath}`);
  program().then(
    (found) => undoInterrupted(found, log),
    (error: unknown) => log.write('warn', Problem.from(error).message),
  );
}

/** What needs consent is left to the command Restore; the views show what is left. */
async function undoInterrupted({ command, args, env }: ExtensionProgram, log: OutputLog): Promise<void> {
  const replay = await startReplay({ command: [command, ...args], env });
  if (replay === undefined) return;
  log.write('info', replay.text);
  await connections?.refresh();
  await replay.over;
  await connections?.refresh();
}

/** VS Code waits a few seconds for it when the window closes; what is not undone by then, the daemons finish. */
export async function deactivate(): Promise<void> {
  await connections?.close();
}
