import { describe, expect, it } from 'vitest';
import { type DebuggerChoice, routeOf } from './route.ts';

const inEditor = new Set(['node', 'pwa-node', 'go', 'coreclr', 'php']);

function wayOf(type: string, choice: DebuggerChoice = 'auto', hasDebugAdapter = false) {
  const route = routeOf({ type, choice, hasDebugAdapter, inEditor });
  return route.way === 'own' ? 'own' : route.type;
}

describe('the way to the real debugger', () => {
  it('is VS Code’s own where that is the better one', () => {
    expect(wayOf('node')).toBe('node');
    expect(wayOf('pwa-node')).toBe('pwa-node');
    expect(wayOf('coreclr')).toBe('coreclr');
  });

  it('is VS Code’s own under the name that it has there', () => {
    expect(wayOf('js-debug')).toBe('pwa-node');
    expect(wayOf('netcoredbg', 'vscode')).toBe('coreclr');
  });

  it('is VS Code’s own for a type that we do not know', () => {
    expect(wayOf('php')).toBe('php');
  });

  it('is our debug adapter for what VS Code has no debugger for', () => {
    expect(wayOf('debugpy')).toBe('own');
    expect(wayOf('lldb-dap')).toBe('own');
    expect(wayOf('debugpy', 'vscode')).toBe('own');
  });

  it('is our debug adapter for what we know as well', () => {
    expect(wayOf('go')).toBe('own');
  });

  it('is what the setting says', () => {
    expect(wayOf('node', 'own')).toBe('own');
    expect(wayOf('go', 'vscode')).toBe('go');
  });

  it('is our debug adapter where the configuration says how to start the real one', () => {
    expect(wayOf('node', 'vscode', true)).toBe('own');
  });
});
