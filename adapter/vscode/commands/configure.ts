/** The command "Configure": asks which service runs here, and writes the launch configuration for it. */
import * as vscode from 'vscode';
import { configure } from '../../configure/configure.ts';
import { settings } from '../settings.ts';
import type { ConfigureArgument } from './about.ts';
import { placeOfConfiguration } from './launch-file.ts';
import { QuickPickPrompter } from './quick-pick-prompter.ts';
import { workspaceFolder } from './workspace-folder.ts';

export interface Configured {
  readonly folder: vscode.WorkspaceFolder;
  readonly name: string;
  readonly configuration: Readonly<Record<string, unknown>>;
}

/**
 * Asks, and writes the answers into launch.json. Unless it is being started, it is shown, and offered to be started.
 * Problems as `configure` throws them: nothing is written then.
 */
export async function runConfigure(asked: ConfigureArgument): Promise<Configured> {
  const configured = await askAndWrite(asked, folderAt(asked.folder) ?? (await workspaceFolder()));
  if (asked.isStarting !== true) {
    await showConfiguration(configured);
    void offerStart(configured);
  }
  return configured;
}

async function askAndWrite(asked: ConfigureArgument, folder: vscode.WorkspaceFolder): Promise<Configured> {
  const { context, namespace, target } = asked;
  const kubeconfig = asked.kubeconfig ?? settings.kubeconfig();
  const agentImage = settings.agentImage();
  const file = vscode.window.activeTextEditor?.document.uri;
  await saveLaunchFile(folder);
  const { name, configuration } = await configure(
    {
      folder: folder.uri.fsPath,
      editor: 'vscode',
      prompter: new QuickPickPrompter('Kubernetes Local: Configure', 'several'),
      ...(kubeconfig !== '' && { kubeconfig, writeKubeconfig: asked.kubeconfig !== undefined }),
      ...(agentImage !== '' && { agentImage }),
      ...(context !== undefined && { context }),
      ...(namespace !== undefined && { namespace }),
      ...(target !== undefined && { target }),
      ...(file?.scheme === 'file' && { currentFile: file.fsPath }),
    },
    new AbortController().signal,
  );
  return { folder, name, configuration };
}

function folderAt(path: string | undefined): vscode.WorkspaceFolder | undefined {
  return path === undefined ? undefined : vscode.workspace.getWorkspaceFolder(vscode.Uri.file(path));
}

/** What stands in an editor and not yet on the disk would be lost, or win over what is written. */
async function saveLaunchFile(folder: vscode.WorkspaceFolder): Promise<void> {
  const path = launchFile(folder).toString();
  await vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === path)?.save();
}

/** Beside the program, which keeps the focus: the next key is for a breakpoint in it. */
async function showConfiguration({ folder, name }: Configured): Promise<void> {
  const document = await vscode.workspace.openTextDocument(launchFile(folder));
  const hasProgram = vscode.window.activeTextEditor !== undefined;
  const place = placeOfConfiguration(document.getText(), name);
  const selection =
    place && new vscode.Range(document.positionAt(place.offset), document.positionAt(place.offset + place.length));
  await vscode.window.showTextDocument(document, {
    preserveFocus: hasProgram,
    viewColumn: hasProgram ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active,
    ...(selection !== undefined && { selection }),
  });
}

async function offerStart({ folder, name }: Configured): Promise<void> {
  const start = 'Start Debugging';
  const text = `"${name}" is in launch.json. Set a breakpoint and press F5.`;
  if ((await vscode.window.showInformationMessage(text, start)) !== start) return;
  await vscode.debug.startDebugging(folder, name);
}

function launchFile(folder: vscode.WorkspaceFolder): vscode.Uri {
  return vscode.Uri.joinPath(folder.uri, '.vscode', 'launch.json');
}
