import { describe, expect, test } from 'vitest';
import { debugpy } from './debugpy.ts';
import { findProfile, knownTypes } from './registry.ts';

describe('the type', () => {
  test.each([
    ['debugpy', 'debugpy'],
    ['python', 'debugpy'],
    ['node', 'js-debug'],
    ['pwa-node', 'js-debug'],
    ['js-debug', 'js-debug'],
    ['go', 'Delve'],
    ['delve', 'Delve'],
    ['dlv', 'Delve'],
    ['lldb-dap', 'lldb-dap'],
    ['codelldb', 'CodeLLDB'],
    ['lldb', 'CodeLLDB'],
    ['cdt-gdb', 'cdt-gdb-adapter'],
    ['gdb', 'cdt-gdb-adapter'],
    ['rdbg', 'rdbg'],
    ['ruby', 'rdbg'],
    ['netcoredbg', 'netcoredbg'],
    ['coreclr', 'netcoredbg'],
    ['java', 'the Java debugger'],
    ['custom', 'the debug adapter of "debugAdapter"'],
  ])('%s means %s', (type, title) => {
    expect(findProfile(type).title).toBe(title);
  });

  test('belongs to one profile only', () => {
    expect(new Set(knownTypes()).size).toBe(knownTypes().length);
  });

  test('if unknown, is answered with the known ones, and the nearest if it is near', () => {
    expect(() => findProfile('debugpi')).toThrow(/Known are debugpy, python, .*\. Did you mean "debugpy"\?$/);
    expect(() => findProfile('Go')).toThrow('Did you mean "go"?');
    expect(() => findProfile('cobol')).toThrow('Set "type" of the delegate to one of them.');
  });

  test('may be limited to some profiles', () => {
    expect(findProfile('python', [debugpy])).toBe(debugpy);
    expect(() => findProfile('go', [debugpy])).toThrow('There is no debugger "go".');
  });
});
