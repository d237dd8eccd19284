import { expect, test } from 'vitest';
import { java } from './java.ts';

test('it is reached at the port that the IDE tells', async () => {
  const command = java.command({ args: {}, debugAdapter: { port: 50_123 } });
  expect(command).toMatchObject({
    argv: [],
    transport: { kind: 'running', endpoint: { host: '127.0.0.1', port: 50_123 } },
  });
  await java.check(command, new AbortController().signal);
});

test('without a port, it is said who knows it', () => {
  expect(() => java.command({ args: { mainClass: 'M' } })).toThrow(expect.objectContaining({ code: 'missing-key' }));
  expect(() => java.command({ args: { mainClass: 'M' } })).toThrow('"vscode.java.startDebugSession" returns its port');
});

test('the environment is an object without null', () => {
  const pod = { A: 'pod', B: 'pod' };
  expect(java.request({ args: { mainClass: 'M', env: { B: null } } }, pod, 'launch')).toEqual({
    command: 'launch',
    arguments: { mainClass: 'M', env: { A: 'pod' } },
  });
  expect(java.request({ args: { hostName: 'h', port: 5005 } }, pod, 'attach')).toEqual({
    command: 'attach',
    arguments: { hostName: 'h', port: 5005 },
  });
});
