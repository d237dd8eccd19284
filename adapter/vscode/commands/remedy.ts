/** Does what the button of an error message says. */
import { access } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { RemedyCommand } from '../../remedies.ts';
import { extensionName, publisher, sessionsView } from '../identifiers.ts';
import type { About } from './about.ts';

const extensionId = `${publisher}.${extensionName}`;

interface Asked {
  readonly command: RemedyCommand;
  readonly page?: string | undefined;
}

/** `advice` is the problem's own text, for a page that is not there. Errors as the commands throw them. */
export async function performRemedy(
  { command, page = 'problems.md' }: Asked,
  about: About & { readonly again?: () => unknown },
  advice = '',
): Promise<void> {
  const { target, namespace, context, kubeconfig } = about;
  switch (command) {
    case 'restore':
    case 'diagnose':
    case 'doctor':
      await vscode.commands.executeCommand(`kubernetes-local.${command}`, { target, namespace, context, kubeconfig });
      return;
    case 'configure':
      // The rest may be what is wrong: it is asked for anew.
      await vscode.commands.executeCommand('kubernetes-local.configure', { kubeconfig });
      return;
    case 'status':
      await vscode.commands.executeCommand(`${sessionsView}.focus`);
      return;
    case 'docs':
      await openPage(page, advice);
      return;
    case 'retry':
      if (about.again !== undefined) await about.again();
      else await vscode.commands.executeCommand('workbench.action.debug.start');
      return;
  }
}

/** A page of docs/ as it was packed with the extension. `page` may have an anchor. */
async function openPage(page: string, advice: string): Promise<void> {
  const [path = '', fragment = ''] = page.split('#');
  const root = vscode.extensions.getExtension(extensionId)?.extensionUri;
  const uri = root && vscode.Uri.joinPath(root, 'docs', path);
  const isShipped =
    uri !== undefined &&
    (await access(uri.fsPath).then(
      () => true,
      () => false,
    ));
  if (isShipped) await vscode.commands.executeCommand('markdown.showPreview', uri.with({ fragment }));
  else void vscode.window.showInformationMessage(advice === '' ? `See docs/${path}.` : advice);
}
