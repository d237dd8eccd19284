import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Problem } from '../problem.ts';
import { debugpy } from './debugpy.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'debugpy-'));
  vi.stubEnv('VIRTUAL_ENV', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A program that says this on standard error and ends with this code. */
function program(path: string, complaint = '', code = 0): string {
  const full = join(folder, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, `#!/bin/sh\necho '${complaint}' >&2\nexit ${code}\n`);
  chmodSync(full, 0o755);
  return full;
}

const transport = { kind: 'stdio' } as const;
const interpreter = (python: string) => [python, '-m', 'debugpy.adapter'];

describe('the interpreter', () => {
  test('is the one the user names, by path, by name, or as the head of a list', () => {
    const named = program('own/mypython');
    vi.stubEnv('PATH', join(folder, 'own'));
    for (const python of [named, 'mypython', [named, '-X', 'dev']]) {
      expect(debugpy.command({ args: { python } })).toEqual({
        argv: [named, '-m', 'debugpy.adapter'],
        origin: '"python" of the delegate',
        transport,
      });
    }
  });

  test('is else that of the virtual environment, else python3, else python', () => {
    const python = program('path/python');
    vi.stubEnv('PATH', join(folder, 'path'));
    expect(debugpy.command({ args: {} })).toMatchObject({
      argv: [python, '-m', 'debugpy.adapter'],
      origin: 'python on PATH',
    });
    const python3 = program('path/python3');
    expect(debugpy.command({ args: {} }).argv[0]).toBe(python3);
    const virtual = program('venv/bin/python');
    vi.stubEnv('VIRTUAL_ENV', join(folder, 'venv'));
    expect(debugpy.command({ args: {} })).toMatchObject({
      argv: [virtual, '-m', 'debugpy.adapter'],
      origin: 'VIRTUAL_ENV',
    });
  });
});

test('a program that listens itself is reached there, as VS Code does it', async () => {
  const reached = (host: string, port: number) => ({
    argv: [],
    origin: '"connect" of the delegate',
    transport: { kind: 'running', endpoint: { host, port } },
  });
  const request = 'attach';
  const find = (args: object) => debugpy.command({ args: { request, ...args } });
  expect(find({ connect: { host: 'localhost', port: '5678' } })).toEqual(reached('localhost', 5678));
  expect(find({ connect: { port: 5678 } })).toEqual(reached('127.0.0.1', 5678));
  expect(find({ host: '::1', port: 5678 })).toEqual(reached('::1', 5678));
  await debugpy.check(find({ connect: { port: 5678 } }), new AbortController().signal);
  // These need a debug adapter of their own, and so does a program that is launched.
  for (const args of [{ processId: 7 }, { listen: { port: 5678 } }, { request: 'launch', port: 5678 }]) {
    expect(find(args).transport).toEqual({ kind: 'stdio' });
  }
});

test('the user may start or reach the debug adapter in another way', async () => {
  const { signal } = new AbortController();
  const started = debugpy.command({ args: {}, debugAdapter: { command: [program('debugpy-adapter', 'no', 1)] } });
  expect(started).toMatchObject({ argv: [join(folder, 'debugpy-adapter')], transport });
  await debugpy.check(started, signal);
  const running = debugpy.command({ args: {}, debugAdapter: { port: 5678 } });
  expect(running).toMatchObject({ argv: [], transport: { kind: 'running' } });
  await debugpy.check(running, signal);
});

describe('the check', () => {
  const { signal } = new AbortController();

  test('is silent if debugpy can be imported', async () => {
    await debugpy.check({ argv: interpreter(program('python')), origin: 'here', transport }, signal);
  });

  test('says why not, and the line that installs it', async () => {
    const broken = program('python', 'ModuleNotFoundError: No module named debugpy', 1);
    const problem = await debugpy
      .check({ argv: interpreter(broken), origin: 'here', transport }, signal)
      .catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ code: 'delegate-missing', why: 'ModuleNotFoundError: No module named debugpy' });
    expect(String(problem)).toContain(`"${broken} -m pip install debugpy"`);
    expect(String(problem)).toContain('(here)');
  });

  test('says so if there is no such program', async () => {
    const missing = debugpy.check({ argv: interpreter(join(folder, 'none')), origin: 'here', transport }, signal);
    await expect(missing).rejects.toMatchObject({ code: 'delegate-missing' });
  });
});

test('the user’s own variables win over those of the pod, and attach takes none', () => {
  const environment = { A: 'pod', B: 'pod' };
  expect(debugpy.request({ args: { program: 'p', env: { B: 'own' } } }, environment, 'launch')).toEqual({
    command: 'launch',
    arguments: { program: 'p', env: { A: 'pod', B: 'own' } },
  });
  expect(debugpy.request({ args: { connect: {} } }, environment, 'attach')).toEqual({
    command: 'attach',
    arguments: { connect: {} },
  });
});
