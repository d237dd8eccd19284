/** Puts debugging in place: our type, the other debuggers around a connection, and what follows the end of a session. */
import * as vscode from 'vscode';
import { Problem } from '../../problem.ts';
import { aboutOf } from '../commands/about.ts';
import { showProblem } from '../commands/problem-message.ts';
import { answerDapQuestion } from '../commands/questions.ts';
import { debugType } from '../identifiers.ts';
import type { OutputLog } from '../output-log.ts';
import type { Services } from '../services.ts';
import { settings } from '../settings.ts';
import type { TaskConnections } from '../tasks/task-connections.ts';
import { OwnDebugAdapter } from './adapter-factory.ts';
import { KubernetesConfigurations } from './kubernetes-configurations.ts';
import { DebugSessions } from './sessions.ts';
import { holderOf, isDebugHolder, SurroundedConfigurations } from './surrounded-configurations.ts';

/** Debugs until the extension ends. */
export function registerDebugging(
  context: vscode.ExtensionContext,
  services: Services,
  tasks: TaskConnections,
  log: OutputLog,
): void {
  const { connections, program } = services;
  /** Session's id → the connections that it uses. */
  const uses = new Map<string, readonly string[]>();
  const fail = (error: unknown, configuration: vscode.DebugConfiguration): undefined => {
    void showProblem(Problem.from(error), services, { ...aboutOf(configuration), isDebugStart: true });
  };
  const sessions = new DebugSessions({
    shown(session, { note }) {
      log.write('info', note, { session: session.name });
      vscode.debug.activeDebugConsole.appendLine(note);
    },
    ended(id) {
      const keys = uses.get(id) ?? [];
      uses.delete(id);
      for (const key of keys) {
        release(key, holderOf(id)).catch((error: unknown) => {
          void showProblem(Problem.from(error), services);
        });
      }
    },
  });
  const release = async (key: string, holder: string) => {
    const keepMs = settings.keepMilliseconds();
    if (!settings.disconnectAfterDebugging()) {
      connections.handToUser(key, holder);
      return;
    }
    await connections.release(key, holder, keepMs);
    if (!connections.holdersOf(key).some(isDebugHolder)) await tasks.endAfterDebugging(key, keepMs);
  };
  const expect = (id: string, keys: readonly string[]) => {
    uses.set(id, keys);
    sessions.expect(id);
  };
  const warn = (text: string) => {
    log.write('warn', text);
    vscode.debug.activeDebugConsole.appendLine(`warning: ${text}`);
  };
  const goesOnWithout = async (names: readonly string[]) => {
    const debug = 'Debug Anyway';
    const detail = 'The program gets no variables from the cluster. The terminal of the task says why.';
    const message = `${names.join(', ')}: not connected.`;
    return (await vscode.window.showWarningMessage(message, { modal: true, detail }, debug)) === debug;
  };
  const own = new KubernetesConfigurations({
    async configure(folder) {
      const asked = { isStarting: true, ...(folder !== undefined && { folder: folder.uri.fsPath }) };
      const { runConfigure } = await import('../commands/configure.ts');
      return (await runConfigure(asked)).configuration;
    },
    fail,
  });
  const surrounded = new SurroundedConfigurations({
    connections,
    tasks,
    redactor: log.redactor,
    fail,
    expect,
    warn,
    goesOnWithout,
    needsOwnWay: (written) => own.needsOwnWay(written),
  });
  const { Initial, Dynamic } = vscode.DebugConfigurationProviderTriggerKind;
  context.subscriptions.push(
    sessions,
    vscode.debug.registerDebugConfigurationProvider(debugType, own, Initial),
    vscode.debug.registerDebugConfigurationProvider(
      debugType,
      { provideDebugConfigurations: () => [{ type: debugType, request: 'launch', name: 'Configure a Service …' }] },
      Dynamic,
    ),
    vscode.debug.registerDebugConfigurationProvider('*', surrounded),
    vscode.debug.registerDebugAdapterDescriptorFactory(debugType, new OwnDebugAdapter(program, fail)),
    vscode.debug.onDidReceiveDebugSessionCustomEvent((event) => {
      if (event.session.type !== debugType) return;
      answerDapQuestion(event.session, event).catch((error: unknown) => {
        log.write('warn', 'a question could not be answered', { error });
      });
    }),
    vscode.debug.onDidStartDebugSession(({ type }) => {
      if (type === debugType) void connections.refresh();
    }),
    vscode.debug.onDidTerminateDebugSession(({ type }) => {
      if (type === debugType) void connections.refresh();
    }),
  );
}
