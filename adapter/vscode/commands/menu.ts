/** The menu of the status bar. */
import * as vscode from 'vscode';
import type { Connection } from '../../session/protocol.ts';
import type { Services } from '../services.ts';
import { addressOf } from '../view/connection-nodes.ts';
import type { WindowSessions } from '../view/window-sessions.ts';
import { type MenuAction, menuItems } from './menu-items.ts';
import { QuickPickPrompter } from './quick-pick-prompter.ts';

const never = new AbortController().signal;

/** Shows what can be done now, and does what is chosen. Problem cancelled if nothing is. */
export async function showMenu(services: Services, sessions: WindowSessions): Promise<void> {
  const prompter = new QuickPickPrompter('Kubernetes Local');
  const choices = menuItems(sessions).map(({ action, ...item }) => ({ ...item, value: action }));
  const action = await prompter.choose({ title: 'What do you want to do?', choices }, never);
  if (action.do === 'copyName') await copyName(await sessions.standing(action.key), prompter);
  else await perform(action, services);
}

async function perform(action: Exclude<MenuAction, { do: 'copyName' }>, services: Services): Promise<void> {
  switch (action.do) {
    case 'command':
      await vscode.commands.executeCommand(action.command, ...('argument' in action ? [action.argument] : []));
      return;
    case 'openLog':
      services.output.show();
      return;
    case 'openFile':
      await vscode.window.showTextDocument(vscode.Uri.file(action.path));
      return;
  }
}

async function copyName(connection: Connection | undefined, prompter: QuickPickPrompter): Promise<void> {
  const choices = (connection?.services ?? [])
    .map((service) => ({
      label: service.names[0] ?? service.name,
      description: addressOf(service),
      value: service.names[0] ?? service.name,
    }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));
  await copy(await prompter.choose({ title: 'Which name is to be copied?', choices }, never));
}

/** Puts a text on the clipboard. A secret's value is never shown by it. */
export async function copy(text: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage('Copied.', 3_000);
}
