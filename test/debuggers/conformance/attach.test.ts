/** Attaching to a process of this computer through us: it stops at a breakpoint, and runs on when we have gone. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealDebuggers, realDebuggers } from '../install.ts';
import { environment } from './debuggers.ts';
import { Folder } from './folder.ts';
import { Ours } from './runs.ts';
import { atConditional, begin } from './session.ts';

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => folder[Symbol.dispose]());

/** A program that turns round and round, and prints a line each time. */
interface Running {
  readonly source: string;
  readonly argv: readonly string[];
  /** What it says when it can be attached to; the group is a port. */
  readonly ready?: RegExp;
  readonly delegate: (found: { pid: number; port: number }) => { readonly type: string } & Record<string, unknown>;
  readonly command?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

const programs = fileURLToPath(new URL('programs', import.meta.url));

const cases: Readonly<Record<string, (real: RealDebuggers) => Running>> = {
  debugpy: ({ python }) => ({
    source: join(programs, 'turning.py'),
    argv: [python, join(programs, 'turning.py')],
    ready: /^listening at (?<port>\d+)$/m,
    delegate: ({ port }) => ({ type: 'debugpy', connect: { host: '127.0.0.1', port } }),
  }),
  'js-debug': ({ node }) => ({
    source: join(programs, 'turning.cjs'),
    argv: [node, '--inspect=127.0.0.1:0', join(programs, 'turning.cjs')],
    ready: /^Debugger listening on ws:\/\/127\.0\.0\.1:(?<port>\d+)/m,
    delegate: ({ port }) => ({ type: 'node', address: '127.0.0.1', port }),
  }),
  dlv: ({ go }) => {
    const source = join(programs, 'turning.go');
    const program = join(folder.path, 'turning-go');
    execFileSync(go.program, ['build', '-gcflags=all=-N -l', '-o', program, source], {
      env: { ...process.env, ...go.environment },
    });
    return {
      source,
      argv: [program],
      delegate: ({ pid }) => ({ type: 'go', mode: 'local', processId: pid }),
      environment: { ...environment, ...go.environment },
    };
  },
  'lldb-dap 22': (real) => ({
    ...native(real),
    delegate: ({ pid }) => ({ type: 'lldb-dap', pid }),
    command: real.adapters.lldbDap22,
  }),
  CodeLLDB: (real) => ({ ...native(real), delegate: ({ pid }) => ({ type: 'codelldb', pid }) }),
  'cdt-gdb-adapter': (real) => {
    const running = native(real);
    const [program] = running.argv;
    return {
      ...running,
      delegate: ({ pid }) => ({ type: 'cdt-gdb', processId: String(pid), program, gdb: real.gdb }),
    };
  },
};

function native({ gcc }: RealDebuggers) {
  const source = join(programs, 'turning.c');
  const program = join(folder.path, 'turning-c');
  execFileSync(gcc, ['-g', '-O0', '-o', program, source]);
  return { source, argv: [program] };
}

test.each(Object.entries(cases))('%s', async (_name, prepare) => {
  const running = prepare(await realDebuggers());
  using turning = new Turning(running.argv);
  const port = Number((await turning.says(running.ready ?? /^turn 1$/m)).groups?.port);
  const delegate = { request: 'attach', ...running.delegate({ pid: turning.pid, port }) };
  const { command, source } = running;
  await using ours = new Ours({ environment, ...running, delegate, ...(command && { command }) });
  const client = ours.start();
  const script = { source, condition: 'count == 2', filters: [], expression: '', setsVariables: false };
  await begin(client, { ...ours.launch(), request: 'attach', oneSession: true }, script);
  await atConditional(client, script);
  await client.request('disconnect', {});
  client.endInput();
  expect(await client.exited).toEqual({ code: 0, signal: null });
  await turning.goesOn();
});

class Turning implements Disposable {
  readonly #child: ChildProcessWithoutNullStreams;
  #said = '';

  constructor([program = '', ...args]: readonly string[]) {
    this.#child = spawn(program, args, { env: environment, stdio: 'pipe' });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
      });
    }
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('It could not be started.');
    return this.#child.pid;
  }

  async says(wanted: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = wanted.exec(this.#said);
      if (found !== null) return found;
      await Promise.race([once(this.#child.stdout, 'data'), once(this.#child.stderr, 'data'), this.#ended()]);
    }
  }

  /** Resolves when it has printed more than it had until now. */
  async goesOn(): Promise<void> {
    const last = Number([...this.#said.matchAll(/^turn (\d+)$/gm)].at(-1)?.[1] ?? 0);
    await this.says(new RegExp(`^turn ${last + 2}$`, 'm'));
    expect(this.#child.exitCode ?? this.#child.signalCode).toBeNull();
  }

  async #ended(): Promise<never> {
    const how = await once(this.#child, 'exit');
    throw new Error(`The program has ended (${how}).\n${this.#said}`);
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
