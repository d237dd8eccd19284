/** The command "Connect": puts this computer in place of a workload, without a debugger. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { chooseTarget } from '../../configure/place.ts';
import type { Prompter } from '../../configure/prompter.ts';
import { silentLog } from '../../diagnostics/log.ts';
import { type LaunchConfiguration, parseLaunchConfiguration } from '../../launch/configuration.ts';
import type { HeldConnection } from '../connections/state.ts';
import { folderPath } from '../folders.ts';
import { commands, debugType, sessionsView } from '../identifiers.ts';
import type { Services } from '../services.ts';
import { settings } from '../settings.ts';
import { shortName } from '../view/session-words.ts';
import type { About } from './about.ts';
import { type ConnectableConfiguration, connectableConfigurations } from './connectable.ts';
import { withVariables } from './launch-variables.ts';
import { QuickPickPrompter } from './quick-pick-prompter.ts';

/** Connects by what `about` names, or what the user chooses. Problems as the prompt and the session throw them. */
export async function connect(services: Services, about: About): Promise<void> {
  const folder = folderOfEditor();
  const path = folderPath(folder);
  const configuration =
    about.target !== undefined
      ? parseLaunchConfiguration(about, 'The command')
      : await choose(about, folder, new QuickPickPrompter('Kubernetes Local: Connect', 'several'));
  const held = await services.connections.connect(configuration, { folder: path, startsProgram: false });
  void tell(held);
}

async function choose(
  about: About,
  folder: vscode.WorkspaceFolder | undefined,
  prompter: Prompter,
): Promise<LaunchConfiguration> {
  const { signal } = new AbortController();
  const path = folderPath(folder);
  const written = connectableConfigurations(
    withVariables(vscode.workspace.getConfiguration('launch', folder).get<unknown>('configurations'), path),
    debugType,
  );
  const chosen = await chooseConfiguration(written, prompter, signal);
  if (chosen !== undefined) return parseLaunchConfiguration(chosen, 'launch.json');
  const kubeconfig = about.kubeconfig ?? (settings.kubeconfig() || undefined);
  const place = { kubeconfig, context: about.context, namespace: about.namespace, log: silentLog };
  const { cluster, target } = await chooseTarget(place, undefined, [basename(path)], prompter, signal);
  const { context, namespace } = cluster;
  return parseLaunchConfiguration(
    { target, context, namespace, ...(kubeconfig !== undefined && { kubeconfig }) },
    'The command',
  );
}

/** Undefined: a Service of the cluster is to be chosen. */
async function chooseConfiguration(
  written: readonly ConnectableConfiguration[],
  prompter: Prompter,
  signal: AbortSignal,
): Promise<ConnectableConfiguration['configuration'] | undefined> {
  if (written.length === 0) return undefined;
  return prompter.choose(
    {
      title: 'What is this computer to stand in for?',
      choices: [
        ...written.map(({ name, target, configuration }) => ({
          label: name,
          description: target,
          value: configuration,
        })),
        { label: 'A Service of the cluster …', value: undefined },
      ],
    },
    signal,
  );
}

function folderOfEditor(): vscode.WorkspaceFolder | undefined {
  const file = vscode.window.activeTextEditor?.document.uri;
  return (file && vscode.workspace.getWorkspaceFolder(file)) ?? vscode.workspace.workspaceFolders?.[0];
}

/** What is so now, and the two things that one may want next. */
async function tell({ key, target, place, connection }: HeldConnection): Promise<void> {
  const [disconnect, show] = ['Disconnect', 'Show Names and Ports'];
  const ports = connection.ports.map(
    ({ containerPort, localPort }) => `Requests for port ${containerPort} reach 127.0.0.1:${localPort}.`,
  );
  const text = [`Connected: ${shortName(target)} in ${place}.`, ...ports].join(' ');
  const chosen = await vscode.window.showInformationMessage(text, show, disconnect);
  if (chosen === show) await vscode.commands.executeCommand(`${sessionsView}.focus`);
  if (chosen === disconnect) {
    await vscode.commands.executeCommand(commands.disconnect, { session: { key, target, place } });
  }
}
