/** Fills in the variables of launch.json that VS Code fills in only when it starts a debug session. */
import { basename } from 'node:path';
import { substituted } from '../substitute.ts';

/** The value with `${workspaceFolder}`, `${workspaceFolderBasename}`, `${userHome}` and `${env:NAME}` filled in, wherever they stand. */
export function withVariables<T>(value: T, folder: string): T;
export function withVariables(value: unknown, folder: string): unknown {
  if (typeof value === 'string') {
    const own = value
      .replace(/\$\{workspace(?:Folder|Root)\}/g, () => folder)
      .replace(/\$\{workspaceFolderBasename\}/g, () => basename(folder));
    return substituted(own);
  }
  if (Array.isArray(value)) return value.map((each: unknown) => withVariables(each, folder));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]: [string, unknown]) => [key, withVariables(each, folder)]),
  );
}
