import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Workstation } from './fixtures/workstation.ts';
import { lldbDap } from './lldb-dap.ts';

let workstation: Workstation;
const { platform } = process;
beforeEach(() => {
  workstation = new Workstation();
  Object.defineProperty(process, 'platform', { value: 'linux' });
});
afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform });
  workstation[Symbol.dispose]();
});

const { signal } = new AbortController();
const transport = { kind: 'stdio' } as const;

describe('the program', () => {
  test('is lldb-dap, else the newest with a version, also under its old name', () => {
    expect(() => lldbDap.command({ args: {} })).toThrow('"apt-get install lldb-19"');
    const old = workstation.program('bin/lldb-vscode-14');
    expect(lldbDap.command({ args: {} })).toEqual({ argv: [old], origin: 'on PATH', transport });
    workstation.program('bin/lldb-dap-19');
    const newest = workstation.program('bin/lldb-dap-22');
    expect(lldbDap.command({ args: {} }).argv).toEqual([newest]);
    const plain = workstation.program('bin/lldb-dap');
    expect(lldbDap.command({ args: {} }).argv).toEqual([plain]);
  });

  test('is that of Xcode on a Mac without another', () => {
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    expect(lldbDap.command({ args: {} })).toEqual({
      argv: ['/usr/bin/xcrun', 'lldb-dap'],
      origin: 'Xcode',
      transport,
    });
  });

  test('is the one that the user names', () => {
    const debugAdapter = { command: ['/opt/lldb-dap', '--no-lldbinit'] };
    expect(lldbDap.command({ args: {}, debugAdapter })).toMatchObject({ argv: debugAdapter.command, transport });
  });
});

test('the check says what is wrong and which line installs it', async () => {
  const command = (argv: readonly string[]) => ({ argv, origin: 'here', transport });
  await lldbDap.check(command([workstation.program('bin/good')]), signal);
  await lldbDap.check(command([]), signal);
  const bad = workstation.program('bin/bad', 'cannot open liblldb.so', 127);
  await expect(lldbDap.check(command([bad]), signal)).rejects.toMatchObject({
    code: 'delegate-missing',
    why: `${bad} (here): cannot open liblldb.so`,
  });
});

test('variables are always a list, and the user’s win, however they are written', () => {
  const environment = { A: 'pod', B: 'pod=1', C: 'pod' };
  const env = (own: unknown) =>
    lldbDap.request({ args: { program: 'p', env: own } }, environment, 'launch').arguments.env;
  expect(env(undefined)).toEqual(['A=pod', 'B=pod=1', 'C=pod']);
  expect(env(['B=own'])).toEqual(['A=pod', 'C=pod', 'B=own']);
  expect(env({ B: 'own', C: null })).toEqual(['A=pod', 'B=own']);
  expect(lldbDap.request({ args: { pid: 1 } }, environment, 'attach')).toEqual({
    command: 'attach',
    arguments: { pid: 1 },
  });
});
