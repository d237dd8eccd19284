/** Tests only: a private network held by a process of its own, as root and as a user without privileges, and programs in it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { z } from 'zod';
import { bundlePrograms } from '../../bundle.ts';
import { findTool, installLine } from './tools.ts';

export const patience = { timeout: 20_000, interval: 50 };

const readySchema = z.object({
  prefix: z.array(z.string()),
  lost: z.array(z.string()),
  dialSocket: z.string(),
  pid: z.number(),
  tun: z.boolean(),
});
const sayingSchema = z.union([
  readySchema,
  z.object({ shadowed: z.array(z.object({ name: z.string(), address: z.string() })) }),
  z.object({ dialled: z.string() }),
  z.object({ notice: z.string() }),
  z.object({ remarks: z.array(z.object({ mountPath: z.string(), why: z.string(), shown: z.boolean() })) }),
  z.object({ closed: z.string() }),
  z.object({ problem: z.object({ what: z.string(), why: z.string(), remedy: z.string() }) }),
]);
type Saying = z.infer<typeof sayingSchema>;

/** Programs in a folder that everybody may enter, which a checkout may not be. */
export const copies = { folder: '', daemon: [] as readonly string[] };
/** Call it once before the tests. */
export async function prepareCopies(): Promise<void> {
  copies.folder = await mkdtemp(join(tmpdir(), 'private-network-'));
  await chmod(copies.folder, 0o755);
  const node = join(copies.folder, 'node');
  await copyFile(process.execPath, node);
  const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  await bundlePrograms({ daemon: source('test-daemon.ts'), main: source('test-holder.ts') }, copies.folder, {
    extension: '.mjs',
  });
  copies.daemon = [node, join(copies.folder, 'daemon.mjs'), node, join(copies.folder, 'main.mjs')];
}

/** And this afterwards. */
export function removeCopies(): Promise<void> {
  return rm(copies.folder, { recursive: true, force: true });
}

/** A test-daemon and what runs in its network. */
export class Bed implements AsyncDisposable {
  readonly said: Saying[] = [];
  readonly #daemon: ChildProcess;
  readonly #user: readonly string[];
  readonly #programs: ChildProcess[] = [];
  #complaints = '';

  constructor(user: readonly string[]) {
    this.#user = user;
    const [program = '', ...args] = [...user, ...copies.daemon];
    // Of the many things that vitest puts there its daemon would have none.
    const { PATH, LANG } = process.env;
    this.#daemon = spawn(program, args, { env: { PATH, LANG }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#daemon.stderr?.on('data', (chunk) => {
      this.#complaints += String(chunk);
    });
    if (this.#daemon.stdout === null) throw new Error('no pipe');
    createInterface({ input: this.#daemon.stdout }).on('line', (line) =>
      this.said.push(sayingSchema.parse(JSON.parse(line))),
    );
  }

  get daemon(): ChildProcess {
    return this.#daemon;
  }

  async ready(): Promise<z.infer<typeof readySchema>> {
    await expect.poll(() => this.said.length > 0 || this.#complaints, patience).toBe(true);
    return readySchema.parse(this.said[0]);
  }

  /** Sends a command and returns the next answer of that kind. */
  async ask(command: object, kind: string): Promise<unknown> {
    const before = this.said.length;
    this.#daemon.stdin?.write(`${JSON.stringify(command)}\n`);
    const answer = () => this.said.slice(before).find((it) => kind in it);
    await expect.poll(answer, patience).toBeDefined();
    return answer();
  }

  /** Starts a command inside; its output goes where `run` collects it. */
  async start(
    command: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<ChildProcess> {
    const { prefix } = await this.ready();
    const [program = '', ...args] = [...this.#user, ...prefix, ...command];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/usr', ...options });
    this.#programs.push(child);
    return child;
  }

  async run(command: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<string> {
    const child = await this.start(command, options);
    child.stdin?.end();
    return outputOf(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) program.kill('SIGKILL');
    if (this.#daemon.exitCode !== null || this.#daemon.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#daemon.once('exit', resolve));
    this.#daemon.stdin?.write(`${JSON.stringify({ end: true })}\n`);
    await gone;
    expect(this.#complaints).toBe('');
  }
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    output += String(chunk);
  });
  await new Promise((resolve) => child.once('close', resolve));
  return output.trim();
}

/** Waits for a program's first line. */
export async function listening(child: ChildProcess): Promise<void> {
  await new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve);
    child.stderr?.on('data', (chunk) => reject(new Error(String(chunk))));
  });
}

/** The tests need all of them. */
export function assertInstalled(): void {
  const needed = ['unshare', 'nsenter', 'ip', 'mount', 'umount', 'setpriv', 'pasta', 'pivot_root'] as const;
  for (const tool of needed) {
    if (findTool(tool) === undefined) throw new Error(`${tool} is missing: ${installLine(tool)}`);
  }
}

const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
/** Whose private networks are tried. */
export const users: readonly (readonly [string, readonly string[]])[] =
  process.getuid?.() === 0
    ? [
        ['root', []],
        ['a user without privileges', nobody],
      ]
    : [['this user', []]];
