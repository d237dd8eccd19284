import { afterEach, beforeEach, expect, test } from 'vitest';
import { Workstation } from './fixtures/workstation.ts';
import { netcoredbg } from './netcoredbg.ts';

let workstation: Workstation;
beforeEach(() => {
  workstation = new Workstation();
});
afterEach(() => workstation[Symbol.dispose]());

const { signal } = new AbortController();
const transport = { kind: 'stdio' } as const;
const speaking = '--interpreter=vscode';

test('the program is on PATH, else in an extension, else a package of Mason', () => {
  const find = () => netcoredbg.command({ args: {} });
  expect(find).toThrow('https://github.com/Samsung/netcoredbg/releases');
  const nested = workstation.program('.local/share/nvim/mason/packages/netcoredbg/netcoredbg/netcoredbg');
  expect(find()).toEqual({ argv: [nested, speaking], origin: 'Mason', transport });
  const extension = '.vscode-oss/extensions/muhammad-sammy.csharp-2.39.29-linux-x64';
  const bundled = workstation.program(`${extension}/.debugger/netcoredbg/netcoredbg`);
  expect(find()).toMatchObject({ argv: [bundled, speaking], origin: 'extension muhammad-sammy.csharp' });
  const onPath = workstation.program('bin/netcoredbg');
  expect(find()).toMatchObject({ argv: [onPath, speaking], origin: 'netcoredbg on PATH' });
});

test('the user’s own command is told to speak DAP unless it is told already', () => {
  const argv = (...command: string[]) => netcoredbg.command({ args: {}, debugAdapter: { command } }).argv;
  expect(argv('/opt/netcoredbg')).toEqual(['/opt/netcoredbg', speaking]);
  expect(argv('/opt/netcoredbg', '--interpreter=vscode', '--log')).toEqual([
    '/opt/netcoredbg',
    '--interpreter=vscode',
    '--log',
  ]);
});

test('the check says what is wrong', async () => {
  const command = (...argv: readonly string[]) => ({ argv, origin: 'here', transport });
  await netcoredbg.check(command(), signal);
  await netcoredbg.check(command(workstation.program('good'), speaking), signal);
  const bad = workstation.program('bad', 'libdbgshim.so is missing', 1);
  await expect(netcoredbg.check(command(bad, speaking), signal)).rejects.toMatchObject({
    code: 'delegate-missing',
    why: `${bad} (here): libdbgshim.so is missing`,
  });
});

test('all variables are text: else it would drop them all', () => {
  const args = { program: 'a.dll', env: { A: null, B: 5000, C: 'own' } };
  expect(netcoredbg.request({ args }, { A: 'pod', C: 'pod', D: 'pod' }, 'launch')).toEqual({
    command: 'launch',
    arguments: { program: 'a.dll', env: { B: '5000', C: 'own', D: 'pod' } },
  });
  expect(netcoredbg.request({ args: { processId: 1 } }, { A: 'pod' }, 'attach')).toEqual({
    command: 'attach',
    arguments: { processId: 1 },
  });
});
