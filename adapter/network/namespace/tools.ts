/** The system's programs that make and enter namespaces: where they are, how a missing one is installed, how one is run. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What is run, each with the package that holds it on Debian and Ubuntu. */
const packages = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
  umount: 'mount',
  pivot_root: 'util-linux',
  ip: 'iproute2',
  bash: 'bash',
  pasta: 'passt',
} as const;

export type Tool = keyof typeof packages;

/** A user's PATH often lacks the folders of root's programs, where some systems keep ip. */
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/** The absolute path of a program; undefined if it is not installed. */
export function findTool(tool: Tool): string | undefined {
  return folders
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, tool))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The line that installs a program on Debian and Ubuntu. */
export function installLine(tool: Tool): string {
  return `apt install ${packages[tool]}`;
}

/** How a program ended. */
export interface ToolResult {
  /** Its exit code; undefined if it could not be started or a signal ended it. */
  readonly code: number | undefined;
  /** What it said on standard error, or why it did not start; without a line end. */
  readonly said: string;
}

export interface RunOptions {
  /** Its standard input. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** Runs a program to its end. Rejects only with the signal's reason; the program is killed then. */
export function runTool(path: string, args: readonly string[], options: RunOptions = {}): Promise<ToolResult> {
  const { input = '', signal } = options;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      // Its messages are read by explain().
      env: { ...process.env, LC_ALL: 'C' },
    });
    const abort = () => {
      child.kill('SIGKILL');
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const settle = (result: ToolResult) => {
      signal?.removeEventListener('abort', abort);
      resolve(result);
    };
    const said: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    // A program that ends before it has read everything says itself why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('error', (error) => settle({ code: undefined, said: error.message }));
    child.once('close', (code) => settle({ code: code ?? undefined, said: Buffer.concat(said).toString().trim() }));
  });
}

/** Like `runTool`, for what has to succeed: rejects with what the program said. */
export async function mustRun(path: string, args: readonly string[], options: RunOptions = {}): Promise<void> {
  const { code, said } = await runTool(path, args, options);
  if (code !== 0) throw new Error(`${path} ${args.join(' ')} failed: ${said || `exit code ${code}`}`);
}
