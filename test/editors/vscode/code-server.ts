/** VS Code's server side: one process that listens on the loopback, with settings and extensions of its own. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { run } from '../../cluster/run.ts';
import type { VsCode } from './install.ts';

export interface CodeServerOptions {
  readonly vsCode: VsCode;
  /** VSIX files, installed as a user installs them. */
  readonly extensions: readonly string[];
  /** What every process of it has in its environment, beside PATH and HOME. */
  readonly environment?: Readonly<Record<string, string>>;
  /** User settings beside those that keep it quiet. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface CodeServer extends AsyncDisposable {
  readonly pid: number;
  /** The address of a window that shows a folder, or the folders of a `.code-workspace` file. */
  address(shown: string): string;
  /** The processes in which extensions run, one for each window. */
  extensionHosts(): readonly number[];
  /** What the extension hosts and our extension have written, for whoever looks for the reason of a failure. */
  logs(): Promise<string>;
}

/** Nothing that asks, advertises, or looks for something on the network. */
const quiet = {
  'breadcrumbs.enabled': false,
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'editor.fontFamily': "'DejaVu Sans Mono', monospace",
  'editor.minimap.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'js/ts.tsserver.automaticTypeAcquisition.enabled': false,
  'npm.autoDetect': 'off',
  'remote.autoForwardPorts': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'terminal.integrated.enablePersistentSessions': false,
  'terminal.integrated.shellIntegration.enabled': false,
  'update.mode': 'none',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/** Starts it with the extensions installed; resolves when it listens. Disposing ends all its processes. */
export async function startCodeServer(options: CodeServerOptions, signal?: AbortSignal): Promise<CodeServer> {
  await using stack = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'kubernetes-local-vscode-'));
  stack.defer(() => rm(data, { recursive: true, force: true, maxRetries: 10 }));
  const settings = join(data, 'user', 'User', 'settings.json');
  await mkdir(dirname(settings), { recursive: true });
  await writeFile(settings, JSON.stringify({ ...quiet, ...options.settings }, undefined, 2));
  const config = join(data, 'config.yaml');
  await writeFile(config, 'auth: none\n');
  const places = [
    '--config',
    config,
    '--user-data-dir',
    join(data, 'user'),
    '--extensions-dir',
    join(data, 'extensions'),
  ];
  const environment = environmentOf(options);
  for (const vsix of options.extensions) {
    const install = [...options.vsCode.command, ...places, '--install-extension', vsix] as const;
    await run(install, { signal, env: environment });
  }
  const { pid, port, end } = await listening(
    [
      ...options.vsCode.command,
      ...places,
      ...['--bind-addr', '127.0.0.1:0', '--disable-telemetry', '--disable-update-check', '--disable-workspace-trust'],
      ...['--disable-getting-started-override', '--ignore-last-opened', '--app-name', 'VS Code'],
      // The environment is the one given here, on every computer; and what a lost window held does not stay for hours.
      ...['--vscode-option', 'force-disable-user-env', '--reconnection-grace-time', '2'],
    ],
    environment,
    signal,
  );
  stack.defer(end);
  const held = stack.move();
  return {
    pid,
    address: (shown) => {
      const kind = shown.endsWith('.code-workspace') ? 'workspace' : 'folder';
      return `http://127.0.0.1:${port}/?${kind}=${encodeURIComponent(pathToFileURL(shown).pathname)}`;
    },
    extensionHosts: () => extensionHostsOf(pid),
    logs: () => logsOf(join(data, 'user', 'logs')),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** They are of the server's process group. */
function extensionHostsOf(group: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const { command, processGroup } = processAt(`/proc/${name}`);
      return processGroup === group && command.includes('--type=extensionHost');
    })
    .map(Number);
}

/** A process that ended meanwhile has no command. */
function processAt(folder: string): { readonly command: string; readonly processGroup: number } {
  try {
    const stat = readFileSync(join(folder, 'stat'), 'utf8');
    const [, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { command: readFileSync(join(folder, 'cmdline'), 'utf8'), processGroup: Number(processGroup) };
  } catch {
    return { command: '', processGroup: 0 };
  }
}

async function logsOf(folder: string): Promise<string> {
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const wanted = files.filter((name) => /exthost.*\/(remoteexthost|.*Kubernetes Local)\.log$/.test(name)).sort();
  const texts = wanted.map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`);
  return texts.join('\n');
}

/**
 * A user's environment, not that of the test runner: what a program finds there must not depend on who runs the tests.
 * Its Node comes first, for the system's may be too old for this project.
 */
function environmentOf({ environment }: CodeServerOptions): Record<string, string> {
  return {
    HOME: process.env.HOME ?? tmpdir(),
    LANG: 'C.UTF-8',
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
    SHELL: '/bin/bash',
    ...(process.env.USER !== undefined && { USER: process.env.USER }),
    ...environment,
  };
}

/** Starts a program that says where it listens; with the way to end it and all that belongs to its process group. */
async function listening(
  [program, ...args]: readonly [string, ...string[]],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<{ pid: number; port: number; end: () => Promise<void> }> {
  const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const { pid } = child;
  const end = async () => {
    if (pid === undefined) return;
    endGroup(pid, 'SIGTERM');
    const patience = setTimeout(() => endGroup(pid, 'SIGKILL'), 5000);
    await exited;
    clearTimeout(patience);
    endGroup(pid, 'SIGKILL');
  };
  const said: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line);
      if (said.length > 50) said.shift();
      const port = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  }
  child.once('error', reject);
  void exited.then(() => reject(new Error(`code-server ended:\n${said.join('\n')}`)));
  try {
    const port = await promise;
    if (pid === undefined) throw new Error('code-server has no process');
    return { pid, port, end };
  } catch (error) {
    await end();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** A group of which nobody is left needs no signal. */
function endGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
