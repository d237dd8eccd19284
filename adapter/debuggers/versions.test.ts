import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Workstation } from './fixtures/workstation.ts';
import { newestOnPath } from './versions.ts';

let workstation: Workstation;
beforeEach(() => {
  workstation = new Workstation();
});
afterEach(() => workstation[Symbol.dispose]());

test('the highest version wins, wherever it is on PATH', () => {
  const path = ['none', 'a', 'b'].map((folder) => join(workstation.home, folder)).join(':');
  expect(newestOnPath('tool', path)).toBeUndefined();
  workstation.program('a/tool-9');
  workstation.program('a/tool-9.5');
  const newest = workstation.program('b/tool-10');
  workstation.program('b/tool-10-extra');
  workstation.program('b/toolbox-99');
  workstation.file('a/tool-98');
  expect(newestOnPath('tool', path)).toBe(newest);
});

test('a version may follow the name without a dash, and has as many parts as it likes', () => {
  workstation.program('bin/ruby3.1');
  const newest = workstation.program('bin/ruby3.10');
  workstation.program('bin/ruby3.9.9');
  expect(newestOnPath('ruby')).toBe(newest);
});
