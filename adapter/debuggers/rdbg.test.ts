import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Workstation } from './fixtures/workstation.ts';
import type { DelegateArguments } from './profile.ts';
import { rdbg } from './rdbg.ts';

let workstation: Workstation;
beforeEach(() => {
  workstation = new Workstation();
});
afterEach(() => workstation[Symbol.dispose]());

const { signal } = new AbortController();
const lockWithDebug = 'GEM\n  specs:\n    debug (1.9.2)\n      irb (~> 1.10)\n';
const opening = ['--open', '--stop-at-load', '--sock-path={socket}', '--command', '--'];

/** The command for a program in the home folder: what starts rdbg, and what rdbg starts. */
function command(args: DelegateArguments) {
  const { argv, ...rest } = rdbg.command({ args: { cwd: workstation.home, ...args } });
  const at = argv.indexOf('--open');
  expect(argv.slice(at, at + opening.length)).toEqual(opening);
  return { debugger: argv.slice(0, at), program: argv.slice(at + opening.length), ...rest };
}

describe('the program', () => {
  beforeEach(() => {
    workstation.program('bin/rdbg');
  });

  test('is a script, given to ruby, with its arguments', () => {
    workstation.file('my app.rb');
    expect(command({ script: 'my app.rb', args: ['a b', 1] }).program).toEqual(['ruby', 'my app.rb', 'a b', '1']);
    expect(command({ program: '/srv/app.rb' }).program).toEqual(['ruby', '/srv/app.rb']);
  });

  test('is split as a shell would, for vscode-rdbg gives it to one', () => {
    expect(command({ script: 'bin/rails server -b "0.0.0.0"' }).program).toEqual([
      'ruby',
      'bin/rails',
      'server',
      '-b',
      '0.0.0.0',
    ]);
    expect(command({ command: "rake 'my task'", args: ['x'] }).program).toEqual(['rake', 'my task', 'x']);
    expect(command({ command: ['bin/my server'], script: 'config.ru' }).program).toEqual([
      'bin/my server',
      'config.ru',
    ]);
  });

  test('runs in its bundle if there is one', () => {
    const bundle = workstation.program('bin/bundle');
    expect(command({ script: 'app.rb' }).program).toEqual(['ruby', 'app.rb']);
    workstation.file('Gemfile');
    workstation.file('below/app.rb');
    const below = { script: 'app.rb', cwd: join(workstation.home, 'below') };
    expect(command(below).program).toEqual([bundle, 'exec', 'ruby', 'app.rb']);
    expect(command({ ...below, useBundler: false }).program).toEqual(['ruby', 'app.rb']);
    expect(command({ ...below, command: 'ruby -w' }).program).toEqual(['ruby', '-w', 'app.rb']);
  });

  test('has its working directory and the user’s variables, which come on top of the pod’s', () => {
    const { cwd, environment, transport } = command({ script: 'app.rb', env: { A: 'own', B: null, C: 1 } });
    expect({ cwd, environment }).toEqual({
      cwd: workstation.home,
      environment: { RUBY_DEBUG_LOG_LEVEL: 'WARN', A: 'own', B: undefined, C: '1' },
    });
    // Earlier, it would write something else than DAP.
    expect(transport).toEqual({ kind: 'socket', ready: /wait for debugger connection/ });
  });

  test('cannot start in a folder that does not exist', () => {
    expect(() => command({ script: 'app.rb', cwd: '/none' })).toThrow('There is no folder /none.');
  });
});

describe('rdbg', () => {
  test('is that of the bundle, else on PATH, else the newest with a version, else beside ruby', () => {
    const find = () => command({ script: 'app.rb' });
    expect(find).toThrow('"gem install debug"');
    workstation.program('bin/rdbg3.1');
    const versioned = workstation.program('bin/rdbg3.3');
    expect(find()).toMatchObject({ debugger: [versioned], origin: 'on PATH' });
    const plain = workstation.program('bin/rdbg');
    expect(find()).toMatchObject({ debugger: [plain], origin: 'rdbg on PATH' });
    const bundle = workstation.program('bin/bundle');
    workstation.file('Gemfile');
    workstation.file('Gemfile.lock', 'GEM\n  specs:\n    debug_inspector (1.2.0)\n');
    expect(find().debugger).toEqual([plain]);
    workstation.file('Gemfile.lock', lockWithDebug);
    expect(find()).toMatchObject({
      debugger: [bundle, 'exec', 'rdbg'],
      program: ['ruby', 'app.rb'],
      origin: 'Gemfile.lock',
    });
  });

  test('is the one that the user names, as vscode-rdbg takes it or as any debug adapter', () => {
    const spaced = workstation.program('my tools/rdbg');
    expect(command({ script: 'app.rb', rdbgPath: spaced }).debugger).toEqual([spaced]);
    expect(command({ script: 'app.rb', rdbgPath: 'bundle exec rdbg' }).debugger).toEqual(['bundle', 'exec', 'rdbg']);
    const debugAdapter = { command: ['/opt/rdbg'] };
    const { argv, origin } = rdbg.command({ args: { script: 'app.rb' }, debugAdapter });
    expect(argv).toEqual(['/opt/rdbg', ...opening, 'ruby', 'app.rb']);
    expect(origin).toBe('"debugAdapter"');
  });

  test('is checked in the working directory, where its bundle is', async () => {
    const missing = workstation.program('bin/bundle', 'Could not locate Gemfile', 10);
    workstation.file('Gemfile');
    workstation.file('Gemfile.lock', lockWithDebug);
    const given = { args: { script: 'app.rb', cwd: workstation.home } };
    await expect(rdbg.check(rdbg.command(given), signal)).rejects.toMatchObject({
      code: 'delegate-missing',
      why: `${missing} exec rdbg (Gemfile.lock): Could not locate Gemfile`,
    });
    const here = workstation.file('bin/bundle', '#!/bin/sh\ntest "$*" = "exec rdbg --version" && test -f Gemfile\n');
    expect(here).toBe(missing);
    await rdbg.check(rdbg.command(given), signal);
  });
});

describe('a program that runs already', () => {
  test('is reached at its socket or port', () => {
    const endpoint = (debugPort: unknown) => rdbg.command({ args: { debugPort } }).transport;
    expect(endpoint('/run/app.sock')).toEqual({ kind: 'running', endpoint: { path: '/run/app.sock' } });
    expect(endpoint('12345')).toEqual({ kind: 'running', endpoint: { host: '127.0.0.1', port: 12345 } });
    expect(endpoint(12345)).toEqual({ kind: 'running', endpoint: { host: '127.0.0.1', port: 12345 } });
    expect(endpoint('::1:12345')).toEqual({ kind: 'running', endpoint: { host: '::1', port: 12345 } });
  });

  test('must be named', () => {
    expect(() => rdbg.command({ args: {} })).toThrow('neither "script" nor "debugPort"');
  });

  test('needs no check', async () => {
    await rdbg.check(rdbg.command({ args: { debugPort: '1' } }), signal);
  });
});

test('the request says that the files are here, unless the user says otherwise', () => {
  expect(rdbg.request({ args: { script: 'app.rb' } }, { A: 'pod' }, 'launch')).toEqual({
    command: 'launch',
    arguments: { localfs: true, script: 'app.rb' },
  });
  expect(rdbg.request({ args: { debugPort: '1', localfs: false } }, {}, 'attach')).toEqual({
    command: 'attach',
    arguments: { localfs: false, debugPort: '1' },
  });
  expect(rdbg.environmentAt({ args: {} })).toBe('start');
});
