import { expect, test } from 'vitest';
import { commandOfUser } from './settings.ts';

const origin = '"debugAdapter"';

test('nothing is said of the command', () => {
  expect(commandOfUser(undefined)).toBeUndefined();
  expect(commandOfUser({ environment: 'list' })).toBeUndefined();
});

test('a debug adapter that runs already is dialled', () => {
  expect(commandOfUser({ port: 4711 })).toEqual({
    argv: [],
    origin,
    transport: { kind: 'running', endpoint: { host: '127.0.0.1', port: 4711 } },
  });
  expect(commandOfUser({ port: 4711, host: '::1' })).toMatchObject({
    transport: { endpoint: { host: '::1', port: 4711 } },
  });
});

test('a command alone is completed as is usual for the debugger', () => {
  const command = ['adapter', '-x'];
  expect(commandOfUser({ command })).toEqual({ argv: command, origin, transport: { kind: 'stdio' } });
  const usual = (given: readonly string[]) => ({ argv: [...given, 'dap'], transport: { kind: 'callback' } as const });
  expect(commandOfUser({ command }, usual)).toEqual({
    argv: ['adapter', '-x', 'dap'],
    origin,
    transport: { kind: 'callback' },
  });
});

test.each([
  [
    { command: ['a'], port: 7, host: '::1' },
    { kind: 'port', host: '::1', port: 7 },
  ],
  [{ command: ['a', '--port={port}'] }, { kind: 'port', host: '127.0.0.1' }],
  [{ command: ['a', '{socket}'] }, { kind: 'socket' }],
  [
    { command: ['a'], readyPattern: 'at (?<port>\\d+)' },
    { kind: 'server', ready: /at (?<port>\d+)/ },
  ],
])('%j says itself where it listens', (settings, transport) => {
  const usual = () => {
    throw new Error('It is not asked.');
  };
  expect(commandOfUser(settings, usual)).toEqual({ argv: settings.command, origin, transport });
});
