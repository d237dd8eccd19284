/** Which debuggers VS Code has, and what their extensions know: the chosen interpreter of Python, its debugpy. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { z } from 'zod';
import { debugType } from '../identifiers.ts';

const contributesSchema = z.object({
  contributes: z.object({ debuggers: z.array(z.object({ type: z.string() })) }),
});

/** The debug types of the installed extensions, without our own. */
export function editorDebugTypes(): ReadonlySet<string> {
  const types = vscode.extensions.all.flatMap((extension) => {
    const contributes = contributesSchema.safeParse(extension.packageJSON).data?.contributes;
    return contributes?.debuggers.map(({ type }) => type) ?? [];
  });
  return new Set(types.filter((type) => type !== debugType));
}

const environmentSchema = z.object({ executable: z.object({ uri: z.object({ fsPath: z.string() }).optional() }) });

/** What of the Python extension's interface is used: https://www.npmjs.com/package/@vscode/python-extension. */
interface PythonExtension {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): unknown;
    resolveEnvironment(path: unknown): Promise<unknown>;
  };
}

/** The interpreter that is selected in the Python extension; undefined without that extension, or a choice. */
export async function selectedPython(resource: vscode.Uri | undefined): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>('ms-python.python');
  if (extension === undefined) return undefined;
  const { environments } = await extension.activate();
  if (environments === undefined) return undefined;
  const environment = await environments.resolveEnvironment(environments.getActiveEnvironmentPath(resource));
  return environmentSchema.safeParse(environment).data?.executable.uri?.fsPath;
}

/** The folder of the debugpy that comes with VS Code's debugger for Python, which needs none in the interpreter. */
export function bundledDebugpy(): string | undefined {
  const extension = vscode.extensions.getExtension('ms-python.debugpy');
  const folder = extension && join(extension.extensionPath, 'bundled', 'libs', 'debugpy', 'adapter');
  return folder !== undefined && existsSync(folder) ? folder : undefined;
}
