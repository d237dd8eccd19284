/** The commands of the extension. Whatever goes wrong in one is shown as a problem, with its remedies. */
import * as vscode from 'vscode';
import { Problem } from '../../problem.ts';
import { commands } from '../identifiers.ts';
import type { Services } from '../services.ts';
import type { NodeSession, TreeNode } from '../view/tree-node.ts';
import type { WindowSessions } from '../view/window-sessions.ts';
import { aboutOf, configureArgument, remedyArgument } from './about.ts';
import { diagnose } from './diagnose.ts';
import { disconnect } from './disconnect.ts';
import { doctor } from './doctor.ts';
import { copy, showMenu } from './menu.ts';
import { showProblem } from './problem-message.ts';
import { performRemedy } from './remedy.ts';
import { ReportDocuments } from './report-document.ts';
import { restore } from './restore.ts';

/** What a command is given: a node of the tree, what an error is about, or nothing. */
type Argument = unknown;

/** Registers all commands but `revealSecret`, which belongs to the tree. */
export function registerCommands(context: vscode.ExtensionContext, services: Services, sessions: WindowSessions): void {
  const documents = new ReportDocuments();
  context.subscriptions.push(documents);
  const register = (id: string, run: (argument: Argument) => Promise<unknown>) => {
    const guarded = async (argument: Argument) => {
      try {
        return await run(argument);
      } catch (error) {
        // Whoever calls the command does not wait for the message to be read.
        void showProblem(Problem.from(error), services, { ...aboutOf(argument), again: () => guarded(argument) });
        return undefined;
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(id, guarded));
  };
  // With all that speaks to a cluster: loaded when they are needed.
  register(commands.configure, async (asked) =>
    (await import('./configure.ts')).runConfigure(configureArgument(asked)),
  );
  register(commands.connect, async (about) => (await import('./connect.ts')).connect(services, aboutOf(about)));
  register(commands.disconnect, (node) => disconnect(services, sessions, sessionOf(node)));
  register(commands.restore, () => restore(services));
  register(commands.diagnose, (asked) => {
    const session = sessionOf(asked);
    return diagnose(services, sessions, documents, session === undefined ? aboutOf(asked) : { key: session.key });
  });
  register(commands.doctor, (about) => doctor(services, documents, aboutOf(about)));
  register(commands.menu, () => showMenu(services, sessions));
  register(commands.refresh, () => services.connections.refresh());
  register(commands.copyValue, async (node) => {
    const text = isNode(node) ? node.copy : undefined;
    if (text !== undefined) await copy(text);
  });
  register(commands.remedy, async (value) => {
    const asked = remedyArgument(value);
    if (asked !== undefined) await performRemedy(asked, asked);
  });
}

function isNode(value: unknown): value is Pick<TreeNode, 'session' | 'copy'> {
  return typeof value === 'object' && value !== null;
}

function sessionOf(value: unknown): NodeSession | undefined {
  return isNode(value) ? value.session : undefined;
}
