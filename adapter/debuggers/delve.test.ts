import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { delve } from './delve.ts';
import { emptyComputer } from './fixtures/empty-computer.ts';

const computer = emptyComputer();
const transport = { kind: 'callback' };
const here = '--client-addr=127.0.0.1:{port}';
/** In a network of its own it listens instead. */
const elsewhere = (...words: readonly string[]) => ({
  argv: [...words, '--listen=127.0.0.1:0'],
  transport: { kind: 'server', ready: expect.any(RegExp) },
});

describe('the program', () => {
  test('is the one named, on PATH, where "go install" puts it, or of Mason', () => {
    const look = (args = {}) => {
      const { argv, origin } = delve.command({ args });
      return [argv[0], origin];
    };
    const mason = computer.program('.local/share/nvim/mason/packages/delve/dlv');
    expect(look()).toEqual([mason, 'Mason']);
    const installed = computer.program('go/bin/dlv');
    expect(look()).toEqual([installed, join(computer.home, 'go', 'bin')]);
    const elsewhere = computer.program('gopath/bin/dlv');
    vi.stubEnv('GOPATH', join(computer.home, 'gopath'));
    expect(look()).toEqual([elsewhere, join(computer.home, 'gopath', 'bin')]);
    const onPath = computer.program('bin/dlv');
    expect(look()).toEqual([onPath, 'dlv on PATH']);
    expect(look({ dlvToolPath: '/own/dlv' })).toEqual(['/own/dlv', '"dlvToolPath" of the delegate']);
  });

  test('calls us, with the flags that the user wants', () => {
    const dlv = computer.program('bin/dlv');
    expect(delve.command({ args: {} })).toEqual({
      argv: [dlv, 'dap', here],
      origin: 'dlv on PATH',
      transport,
      elsewhere: elsewhere(dlv, 'dap'),
    });
    const args = { dlvFlags: ['--check-go-version=false'], showLog: true, logOutput: 'dap' };
    expect(delve.command({ args }).argv).toEqual([
      dlv,
      'dap',
      '--check-go-version=false',
      '--log',
      '--log-output=dap',
      here,
    ]);
  });

  test('of the user is completed, unless the command says where it listens', () => {
    const command = (words: readonly string[]) => delve.command({ args: {}, debugAdapter: { command: words } });
    expect(command(['/x/dlv'])).toEqual({
      argv: ['/x/dlv', 'dap', here],
      origin: '"debugAdapter"',
      transport,
      elsewhere: elsewhere('/x/dlv', 'dap'),
    });
    expect(command(['/x/dlv', 'dap', '--log']).argv).toEqual(['/x/dlv', 'dap', '--log', here]);
    expect(command(['/x/dlv', 'dap', '-l', '127.0.0.1:{port}'])).toMatchObject({ transport: { kind: 'port' } });
  });

  test('runs already if the configuration has a port, as in vscode-go', () => {
    expect(delve.command({ args: { mode: 'remote', request: 'attach', port: 2345 } })).toEqual({
      argv: [],
      origin: '"port" of the delegate',
      transport: { kind: 'running', endpoint: { host: '127.0.0.1', port: 2345 } },
    });
  });
});

describe('what is missing is told with the line that installs it', () => {
  const line = '"go install github.com/go-delve/delve/cmd/dlv@latest"';

  test('Delve', () => {
    expect(() => delve.command({ args: {} })).toThrow(line);
    expect(() => delve.command({ args: {} })).toThrow(`There is no dlv on PATH or in ${computer.home}/go/bin.`);
  });

  test('Go, if Delve has to build', () => {
    computer.program('bin/dlv');
    const wanted = { code: 'delegate-missing', what: 'Delve is there, but Go is not.' };
    for (const mode of [undefined, 'auto', 'debug', 'test']) {
      const args = mode === undefined ? { program: '/p' } : { program: '/p', mode };
      expect(() => delve.command({ args })).toThrow(expect.objectContaining(wanted));
    }
    for (const args of [{ program: '/p', mode: 'exec' }, { request: 'attach', processId: 1, program: '/p' }, {}]) {
      expect(() => delve.command({ args })).not.toThrow();
    }
    computer.program('sdk/go');
    const env = { PATH: join(computer.home, 'sdk') };
    expect(() => delve.command({ args: { program: '/p', env } })).not.toThrow();
  });

  test('a Delve that does not start', async () => {
    computer.program('bin/dlv', 'bad CPU', 1);
    const check = delve.check(delve.command({ args: {} }), new AbortController().signal);
    await expect(check).rejects.toMatchObject({
      code: 'delegate-missing',
      why: `${computer.home}/bin/dlv (dlv on PATH): bad CPU`,
      remedy: expect.stringContaining(line),
    });
  });
});

test('the check is silent if Delve starts', async () => {
  computer.program('bin/dlv');
  await delve.check(delve.command({ args: {} }), new AbortController().signal);
});

describe('the request', () => {
  const launch = (args: Readonly<Record<string, unknown>>) => delve.request({ args }, { A: 'pod' }, 'launch').arguments;

  test('has the environment, and in it the user’s own', () => {
    expect(delve.request({ args: { env: { B: null } } }, { A: 'pod', B: 'pod' }, 'launch')).toEqual({
      command: 'launch',
      arguments: { env: { A: 'pod', B: null } },
    });
    expect(delve.request({ args: { mode: 'local', processId: 7 } }, { A: 'pod' }, 'attach')).toEqual({
      command: 'attach',
      arguments: { mode: 'local', processId: 7 },
    });
  });

  test('builds in the folder of the program, as vscode-go does', () => {
    const main = computer.file('app/main.go');
    const app = join(computer.home, 'app');
    expect(launch({ program: main })).toMatchObject({ program: main, dlvCwd: app });
    expect(launch({ program: app })).toMatchObject({ program: app, dlvCwd: app });
    expect(launch({ program: app, dlvCwd: '/other' })).toEqual({ program: app, dlvCwd: '/other', env: { A: 'pod' } });
    expect(launch({ program: app, mode: 'exec' })).toEqual({ program: app, mode: 'exec', env: { A: 'pod' } });
    expect(launch({ program: 'example.com/app' })).toEqual({ program: 'example.com/app', env: { A: 'pod' } });
  });

  test('has a mode and a program that Delve knows', () => {
    const test = computer.file('app/main_test.go');
    const app = join(computer.home, 'app');
    expect(launch({ program: app, mode: 'auto' })).toMatchObject({ mode: 'debug', program: app, dlvCwd: app });
    for (const mode of ['auto', 'test']) {
      expect(launch({ program: test, mode })).toMatchObject({ mode: 'test', program: app, dlvCwd: app });
    }
  });
});
