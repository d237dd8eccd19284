import { describe, expect, test } from 'vitest';
import { custom } from './custom.ts';
import { emptyComputer } from './fixtures/empty-computer.ts';

const computer = emptyComputer();
const pod = { A: 'pod', B: 'pod' };

test('it is started or reached as the user says', () => {
  expect(custom.command({ args: {}, debugAdapter: { command: ['x', '-y'] } })).toEqual({
    argv: ['x', '-y'],
    origin: '"debugAdapter"',
    transport: { kind: 'stdio' },
  });
  expect(custom.command({ args: {}, debugAdapter: { port: 4711 } }).transport).toMatchObject({ kind: 'running' });
});

test('it needs to be told how', () => {
  for (const given of [{ args: {} }, { args: {}, debugAdapter: { environment: 'list' } as const }]) {
    expect(() => custom.command(given)).toThrow(expect.objectContaining({ code: 'missing-key' }));
    expect(() => custom.command(given)).toThrow('"debugAdapter": { "command": ["my-debug-adapter", "--stdio"] }');
  }
});

describe('the environment', () => {
  const args = { program: 'p', env: { B: 'own' } };

  test('is an object in "env" if nothing else is said', () => {
    expect(custom.request({ args }, pod, 'launch')).toEqual({
      command: 'launch',
      arguments: { program: 'p', env: { A: 'pod', B: 'own' } },
    });
    expect(custom.environmentAt({ args })).toBe('launch');
  });

  test('can be a list, under another key', () => {
    const debugAdapter = { environment: 'list', environmentKey: 'environment' } as const;
    const given = { args: { ...args, environment: ['B=own'] }, debugAdapter };
    expect(custom.request(given, pod, 'launch').arguments).toEqual({ ...args, environment: ['A=pod', 'B=own'] });
  });

  test('can be that of the debug adapter, which then starts late', () => {
    const given = { args, debugAdapter: { environment: 'process' } as const };
    expect(custom.environmentAt(given)).toBe('start');
    expect(custom.request(given, pod, 'launch').arguments).toEqual(args);
  });

  test('is not part of an attach', () => {
    expect(custom.request({ args }, pod, 'attach')).toEqual({ command: 'attach', arguments: args });
  });
});

describe('the check', () => {
  const { signal } = new AbortController();
  const check = (name: string) => custom.check(custom.command({ args: {}, debugAdapter: { command: [name] } }), signal);

  test('names a program that is not there', async () => {
    await expect(check('adapter')).rejects.toMatchObject({
      code: 'delegate-missing',
      what: 'There is no program adapter ("command" of "debugAdapter").',
    });
  });

  test('does not start one that is there', async () => {
    computer.program('bin/adapter', 'started', 1);
    await check('adapter');
  });
});
