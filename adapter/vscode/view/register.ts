/** Puts the status bar item and the tree in place, and keeps them as the sessions are. */
import * as vscode from 'vscode';
import { commands, sessionsView } from '../identifiers.ts';
import type { Services } from '../services.ts';
import type { KnownSessions } from './known-sessions.ts';
import { SessionTree } from './session-tree.ts';
import { StatusItem } from './status-item.ts';
import type { TreeNode } from './tree-node.ts';
import { WindowSessions } from './window-sessions.ts';

/** Shows the sessions until the extension ends; returns what is shown, for the commands. */
export function registerViews(context: vscode.ExtensionContext, services: Services): WindowSessions {
  const sessions = new WindowSessions(services);
  const status = new StatusItem();
  const tree = new SessionTree(sessions);
  const view = vscode.window.createTreeView(sessionsView, { treeDataProvider: tree, showCollapseAll: true });
  const update = () => {
    status.show(sessions.state);
    tree.update();
    view.badge = badge(sessions);
    setContext(sessions).catch((error: unknown) => services.output.warn(String(error)));
  };
  context.subscriptions.push(
    sessions,
    status,
    tree,
    view,
    sessions.onDidChange(update),
    vscode.commands.registerCommand(commands.revealSecret, (node: TreeNode) => tree.toggleSecret(node)),
  );
  update();
  return sessions;
}

/** The number of interrupted sessions, in words for those who point at it. */
function badge(sessions: KnownSessions): vscode.ViewBadge | undefined {
  const interrupted = interruptedOf(sessions);
  if (interrupted === 0) return undefined;
  return { value: interrupted, tooltip: `${interrupted} interrupted; Restore undoes what is left` };
}

/** For `when` and `enablement` in the manifest. */
async function setContext(sessions: KnownSessions): Promise<void> {
  const isInterrupted = interruptedOf(sessions) > 0;
  await vscode.commands.executeCommand('setContext', 'kubernetes-local.isConnected', sessions.held.length > 0);
  await vscode.commands.executeCommand('setContext', 'kubernetes-local.isInterrupted', isInterrupted);
}

function interruptedOf({ foreign }: KnownSessions): number {
  return foreign.filter(({ state }) => state === 'interrupted').length;
}
