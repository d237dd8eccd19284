import { expect, test } from 'vitest';
import { asProgram, isOwnType, isProgram } from './delegate.ts';

test("what is the editor's stays beside, the rest goes to the real debugger", () => {
  const settings = {
    name: 'Cart',
    type: 'debugpy',
    request: 'launch',
    program: 'x.py',
    preLaunchTask: 'build',
    postDebugTask: 'clean',
    presentation: { hidden: false },
    serverReadyAction: { action: 'openExternally' },
    internalConsoleOptions: 'neverOpen',
    suppressMultipleSessionWarning: true,
    debugServer: 4711,
  };
  expect(asProgram(settings)).toEqual({
    delegate: { type: 'debugpy', request: 'launch', program: 'x.py' },
    beside: {
      preLaunchTask: 'build',
      postDebugTask: 'clean',
      presentation: { hidden: false },
      serverReadyAction: { action: 'openExternally' },
      internalConsoleOptions: 'neverOpen',
      suppressMultipleSessionWarning: true,
      // A debug adapter that runs already is that of the real debugger.
      debugAdapter: { port: 4711 },
    },
  });
});

test.each([
  ['linux', 'x'],
  ['win32', 'x.exe'],
  ['darwin', 'base'],
] as const)('on %s the section for it holds', (platform, program) => {
  const settings = { type: 'lldb', program: 'base', windows: { program: 'x.exe' }, linux: { program: 'x' } };
  expect(asProgram(settings, platform).delegate).toEqual({ type: 'lldb', program });
});

test.each([
  [{ type: 'node' }, true],
  [{ type: '' }, false],
  [{ type: 'kubernetes-local' }, false],
  [{ type: 'kubernetes-local/debugpy' }, false],
  [{ name: 'no type' }, false],
  [undefined, false],
  [null, false],
])('%j can start a program: %s', (value, possible) => {
  expect(isProgram(value)).toBe(possible);
});

test('only our types are ours', () => {
  expect(['kubernetes-local', 'kubernetes-local/go', 'kubernetes-locally', 'go', 1].map(isOwnType)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
