import { describe, expect, it } from 'vitest';
import { placed } from './program-place.ts';

const place = { prefix: ['/bin/sh', '-c', 'exec enter -- "$@"', 'kubernetes-local'], dialSocket: '/run/dial.sock' };

describe('a program in a private network', () => {
  it('is started there by js-debug, with the runtime that was meant and its arguments', () => {
    expect(placed({ type: 'pwa-node', name: 'web', runtimeArgs: ['--no-warnings'] }, place)).toEqual({
      kind: 'configuration',
      configuration: {
        type: 'pwa-node',
        name: 'web',
        runtimeExecutable: '/bin/sh',
        runtimeArgs: ['-c', 'exec enter -- "$@"', 'kubernetes-local', 'node', '--no-warnings'],
      },
    });
    expect(placed({ type: 'node', runtimeExecutable: 'npm', runtimeArgs: ['start'] }, place)).toMatchObject({
      configuration: { runtimeArgs: ['-c', 'exec enter -- "$@"', 'kubernetes-local', 'npm', 'start'] },
    });
  });

  it('is left to our own debug adapter where VS Code’s debugger would not reach it', () => {
    expect(placed({ type: 'debugpy' }, place)).toEqual({ kind: 'redirect' });
  });

  it('is a problem for any other debugger of VS Code', () => {
    expect(() => placed({ type: 'coreclr' }, place)).toThrow(
      expect.objectContaining({ code: 'namespace-unavailable', remedy: expect.stringContaining('"network"') }),
    );
  });
});
