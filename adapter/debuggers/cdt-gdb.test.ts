import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cdtGdb } from './cdt-gdb.ts';
import { Workstation } from './fixtures/workstation.ts';

let workstation: Workstation;
beforeEach(() => {
  workstation = new Workstation();
  vi.spyOn(process, 'cwd').mockReturnValue(workstation.home);
});
afterEach(() => {
  vi.restoreAllMocks();
  workstation[Symbol.dispose]();
});

const { signal } = new AbortController();
const transport = { kind: 'stdio' } as const;
const script = 'node_modules/cdt-gdb-adapter/dist/debugAdapter.js';

describe('the program', () => {
  test('is that of the project, else on PATH, else that of an extension', () => {
    workstation.program('bin/gdb');
    const find = () => cdtGdb.command({ args: { cwd: join(workstation.home, 'project', 'source') } });
    expect(find).toThrow('"npm install --global cdt-gdb-adapter"');
    const bundled = workstation.file(`.vscode/extensions/eclipse-cdt.cdt-gdb-vscode-2.9.1/${script}`);
    expect(find()).toEqual({
      argv: [process.execPath, bundled],
      origin: 'extension eclipse-cdt.cdt-gdb-vscode',
      transport,
    });
    const global = workstation.program('bin/cdtDebugAdapter');
    expect(find()).toMatchObject({ argv: [global], origin: 'cdtDebugAdapter on PATH' });
    const installed = workstation.file(`project/${script}`);
    expect(find()).toMatchObject({ argv: [process.execPath, installed], origin: 'node_modules' });
  });

  test('is of no use without GDB', () => {
    const debugAdapter = { command: ['node', 'a.js'] };
    const problem = 'There is no program gdb. Install GDB, on Debian and Ubuntu with "apt-get install gdb"';
    expect(() => cdtGdb.command({ args: {}, debugAdapter })).toThrow(problem);
    const gdb = workstation.program('own/gdb');
    expect(cdtGdb.command({ args: { gdb }, debugAdapter }).argv).toEqual(debugAdapter.command);
    expect(() => cdtGdb.command({ args: { gdb: '/none' }, debugAdapter })).toThrow('There is no program /none.');
  });

  test('may run already, with a GDB of its own', () => {
    expect(cdtGdb.command({ args: {}, debugAdapter: { port: 4711 } }).transport).toMatchObject({ kind: 'running' });
  });
});

test('the check says which file or program is missing', async () => {
  const command = (...argv: readonly string[]) => ({ argv, origin: 'here', transport });
  await cdtGdb.check(command(), signal);
  await cdtGdb.check(command(process.execPath, workstation.file('a.js')), signal);
  for (const argv of [['/none'], [process.execPath, '/none.js']]) {
    const missing = cdtGdb.check(command(...argv), signal);
    await expect(missing).rejects.toMatchObject({
      code: 'delegate-missing',
      why: expect.stringContaining(`${argv.at(-1)} (here)`),
    });
  }
});

test('variables are in "environment", and GDB is named by its path: it is looked up on the PATH of the pod', () => {
  const gdb = workstation.program('bin/gdb');
  const environment = { A: 'pod', B: 'pod', PATH: '/pod' };
  const args = { program: 'p', environment: { B: 'own', C: null } };
  expect(cdtGdb.request({ args }, environment, 'launch')).toEqual({
    command: 'launch',
    arguments: { program: 'p', gdb, environment: { A: 'pod', B: 'own', C: null, PATH: '/pod' } },
  });
  expect(cdtGdb.request({ args: { processId: '1' } }, environment, 'attach')).toEqual({
    command: 'attach',
    arguments: { processId: '1' },
  });
});
