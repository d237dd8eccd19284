/** The Node that runs our command line: the debug adapter and the daemon are processes of it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../debuggers/program.ts';
import { Problem } from '../problem.ts';

/** A command line, to which the arguments of our own are added, and the variables that it needs. */
export interface ExtensionProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const least = [22, 19] as const;
const run = promisify(execFile);

/** What is looked at to find it; tests give others. */
export interface NodeSurroundings {
  readonly execPath: string;
  readonly versions: { readonly node: string; readonly electron?: string };
  /** The version of a Node; undefined if it is none. */
  versionOf(program: string): Promise<string | undefined>;
  find(name: string): string | undefined;
}

const thisProcess: NodeSurroundings = {
  execPath: process.execPath,
  versions: process.versions,
  async versionOf(program) {
    try {
      const { stdout } = await run(program, ['--version'], { timeout: 10_000, windowsHide: true });
      return stdout.trim().replace(/^v/, '');
    } catch {
      return undefined;
    }
  },
  find: (name) => findProgram(name),
};

/**
 * How to start our command line. The first that is new enough: the Node of the setting; the one that runs this extension,
 * if it is a plain one; `node` of the PATH; VS Code itself, which is a Node too. Problem command-missing if there is none.
 * @param script our command line's file.
 * @param setting the user's choice; empty: none.
 */
export async function findExtensionProgram(
  script: string,
  setting: string,
  surroundings: NodeSurroundings = thisProcess,
): Promise<ExtensionProgram> {
  const { execPath, versions, versionOf, find } = surroundings;
  const args = [script];
  if (setting !== '') {
    const version = await versionOf(setting);
    if (version !== undefined && isEnough(version)) return { command: find(setting) ?? setting, args, env: {} };
    throw noNode(
      version === undefined
        ? `The setting "kubernetes-local.node" names ${setting}, which does not start.`
        : `The setting "kubernetes-local.node" names ${setting}, which is Node ${version}.`,
    );
  }
  const ownIsEnough = isEnough(versions.node);
  if (ownIsEnough && versions.electron === undefined) return { command: execPath, args, env: {} };
  const onPath = find('node');
  const version = onPath === undefined ? undefined : await versionOf(onPath);
  // Before VS Code's own: the privileged helper is started without our variables.
  if (onPath !== undefined && version !== undefined && isEnough(version)) return { command: onPath, args, env: {} };
  if (ownIsEnough) return { command: execPath, args, env: { ELECTRON_RUN_AS_NODE: '1' } };
  const others = version === undefined ? 'There is none on the PATH' : `The one on the PATH is Node ${version}`;
  throw noNode(`${others}, and VS Code's own is Node ${versions.node}.`);
}

/** Where the command line is in an installed extension. */
export function scriptIn(extensionFolder: string): string {
  return join(extensionFolder, 'dist', 'kubernetes-local.js');
}

function isEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > least[0] || (major === least[0] && minor >= least[1]);
}

function noNode(why: string): Problem {
  return new Problem({
    code: 'command-missing',
    what: `Kubernetes Local needs Node ${least.join('.')} or later.`,
    why,
    remedy: 'Install Node, or name one with the setting "kubernetes-local.node".',
  });
}
