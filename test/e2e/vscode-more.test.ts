/**
 * The extension in a real VS Code: ports in use, several services at once, connections without a debugger, and secrets.
 * What a newcomer does first is in vscode.test.ts.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { saveAs } from '../editors/vscode/dialogs.ts';
import { chooseFromMenu, focusSessions, goToRow, openRow } from '../editors/vscode/sessions-view.ts';
import { openStage, type Stage } from '../editors/vscode/stage.ts';
import type { Workbench } from '../editors/vscode/workbench.ts';
import { processesOf } from '../stage/world.ts';
import { freePort, runCommand } from './command-line.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage('e2e-vscode-more');
}, 600_000);
afterAll(() => stage?.[Symbol.asyncDispose]());

const here = expect.stringMatching(/^this computer/);

/** Settings: nothing waits for a debug session that may follow. */
const atOnce = { 'kubernetes-local.keepSeconds': 0 };

/** A program that answers where it listens, which is where it was told to. */
const programs = {
  'main.py': `import http.server, os

port = int(os.environ["KUBERNETES_LOCAL_PORT_8080"])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"at {port}".encode())


server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
print(f"listens at {port}", flush=True)
server.serve_forever()
`,
  'main.js': `const port = process.env.KUBERNETES_LOCAL_PORT_8080;
const server = require('node:http').createServer((_, response) => response.end('at ' + port));
server.listen(port, '127.0.0.1', () => console.log('listens at ' + port));
`,
};

/** A launch configuration of ours; relative paths in it mean the folder. */
function configured(target: string, delegate: object, more: object = {}) {
  return { type: 'kubernetes-local', request: 'launch', name: `${target} here`, target, ...more, delegate };
}

function launchFile(...configurations: readonly object[]): Readonly<Record<string, object>> {
  return { 'launch.json': { version: '0.2.0', configurations } };
}

/** The line of a program of the shop in which some code stands. */
function lineOf(app: 'cart/cart.py' | 'web/web.js', code: string): number {
  const text = readFileSync(join(import.meta.dirname, '..', 'apps', 'shop', app), 'utf8');
  return text.split('\n').findIndex((line) => line.includes(code)) + 1;
}

const knownSchema = z.array(
  z.object({ target: z.string(), status: z.object({ state: z.string(), session: z.string(), pid: z.int() }) }),
);

/** The sessions that stand, as `kubernetes-local status` shows them. */
async function sessions() {
  const { stdout } = await runCommand(stage.world, ['status', '--json']);
  return knownSchema.parse(JSON.parse(stdout));
}

/** Something that listens at a port of this computer. */
async function occupied(): Promise<AsyncDisposable & { readonly port: number }> {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

async function request(url: string): Promise<unknown> {
  return JSON.parse(await stage.world.shop.request(url));
}

/** Waits until a process of the product, or started by it, has this at the end of its command line. */
async function runs(file: string): Promise<void> {
  await vi.waitFor(
    () => {
      if (!processesOf(stage.world.state).some(({ command }) => command.endsWith(file))) throw new Error(`no ${file}`);
    },
    { timeout: 30_000 },
  );
}

async function connectToCart(window: Workbench): Promise<void> {
  await window.command('Kubernetes Local: Connect');
  await window.choose(/Service/, /^cart/);
  await window.notification(/Connected: cart in /);
}

describe('a port in use, in VS Code', () => {
  it.each([
    ['cart', 'main.py', 'debugpy', 'our own debug adapter'],
    ['web', 'main.js', 'node', "VS Code's own debugger"],
  ] as const)('is asked about: %s, by %s', async (app, file, type, _way) => {
    const before = await stage.world.snapshot();
    await using holder = await occupied();
    const more = { ports: { '8080': holder.port } };
    const files = {
      ...launchFile(configured(`service/${app}`, { type, program: file }, more)),
      'settings.json': atOnce,
    };
    const folder = stage.folder(app, files);
    writeFileSync(join(folder, file), programs[file]);
    await stage.inWindow(folder, async (window) => {
      await window.openFile(file);
      await window.press('F5');
      const { text, buttons } = await window.dialog(new RegExp(`Port ${holder.port} is in use`));
      expect(text).toContain(`${process.pid}`);
      const other = buttons.flatMap((button) => /^Use port (\d+) instead/.exec(button)?.[1] ?? []).join();
      expect(other).toMatch(/^\d+$/);
      await window.takeButton('dialog', /^Use port/);
      await window.debugging.said(new RegExp(`listens at ${other}`));
      expect(await stage.world.shop.request(`http://${app}/`)).toBe(`at ${other}`);
      await window.press('Shift+F5');
      await window.debugging.ended();
      await stage.asBefore(before);
      await window.statusItem(/^Kubernetes Local: not connected/);

      await window.press('F5');
      await window.dialog(/Port \d+ is in use/);
      await window.press('Escape');
      await window.debugging.ended();
      await stage.asBefore(before);
      await window.statusItem(/^Kubernetes Local: not connected/);
      // Who has just said no is not told so.
      expect(await window.page.locator('.monaco-dialog-box').count()).toBe(0);
    });
  });
});

describe('several services in VS Code', () => {
  it('are debugged by one compound over two folders, and one request goes through both', async () => {
    const before = await stage.world.snapshot();
    const [cartLine, webLine] = [
      lineOf('cart/cart.py', 'total = checkout_total(items, prices)'),
      lineOf('web/web.js', 'response.end(json ? `${JSON.stringify({ ...cart,'),
    ];
    // Both folders have files of the same names, and the files say different things.
    const kubeconfig = { kubeconfig: 'cluster.yaml' };
    const folders = await Promise.all(
      (
        [
          ['cart', 'debugpy', 'cart.py'],
          ['web', 'node', 'web.js'],
        ] as const
      ).map(async ([app, type, program]) => {
        const port = await freePort();
        const more = { ...kubeconfig, namespace: stage.world.shop.namespace, ports: { '8080': port } };
        const delegate = { type, program, envFile: 'local.env' };
        const folder = stage.folder(app, launchFile(configured(`service/${app}`, delegate, more)));
        copyFileSync(stage.world.place.kubeconfig, join(folder, 'cluster.yaml'));
        writeFileSync(join(folder, 'local.env'), `PORT=${port}\n`);
        return folder;
      }),
    );
    const [first = ''] = folders;
    const workspace = join(dirname(first), 'shop.code-workspace');
    const compound = {
      name: 'the whole shop',
      configurations: [
        { name: 'service/cart here', folder: 'cart' },
        { name: 'service/web here', folder: 'web' },
      ],
      stopAll: true,
    };
    const launch = { version: '0.2.0', configurations: [], compounds: [compound] };
    writeFileSync(workspace, JSON.stringify({ folders: folders.map((path) => ({ path })), settings: atOnce, launch }));
    await stage.inWindow(workspace, async (window) => {
      // VS Code shows the compound before it has read the folders that it names, and would only say that they lack it.
      await vi.waitFor(async () => {
        await window.command('Debug: Select and Start Debugging');
        const { rows } = await window.question(/launch/);
        if (
          !rows.some((row) => /^service\/cart here/.test(row)) ||
          !rows.some((row) => /^service\/web here/.test(row))
        ) {
          await window.press('Escape');
          throw new Error(`VS Code offers only ${rows.join(', ')}`);
        }
      }, 30_000);
      await window.choose(/launch/, /^the whole shop/);
      await vi.waitFor(
        async () => {
          expect(await request('http://web/json')).toMatchObject({ cartServedBy: here, webServedBy: here });
        },
        { timeout: 60_000, interval: 200 },
      );
      expect((await sessions()).map(({ target }) => target).sort()).toEqual(['service/cart', 'service/web']);

      for (const [file, line] of [
        ['cart.py', cartLine],
        ['web.js', webLine],
      ] as const) {
        await window.openFile(file, line);
        await window.press('F9');
        await window.page.locator('.codicon-debug-breakpoint').first().waitFor();
      }
      const answer = request('http://web/json');
      await window.debugging.stoppedAt('cart.py', cartLine);
      await window.press('F5');
      await window.debugging.stoppedAt('web.js', webLine);
      await window.press('F5');
      expect(await answer).toMatchObject({ cartServedBy: here, webServedBy: here });

      await window.press('Shift+F5');
      await window.debugging.ended();
      await stage.asBefore(before);
      await window.statusItem(/^Kubernetes Local: not connected/);
    });
  });
});

describe('a connection in VS Code', () => {
  it('is made for a Service, joined by a debug session, and ended by a command', async () => {
    const before = await stage.world.snapshot();
    const delegate = { type: 'debugpy', program: 'cart.py' };
    await stage.inWindow(stage.folder('cart', launchFile(configured('service/cart', delegate))), async (window) => {
      await window.openFile('cart.py');
      await window.command('Kubernetes Local: Connect');
      await window.choose(/stand in for/, /^A Service/);
      await window.choose(/Service/, /^cart/);
      await window.notification(/Connected: cart in /);
      await window.statusItem(/^Kubernetes Local: connected, cart in /);
      const standing = await sessions();
      expect(standing).toMatchObject([{ target: 'service/cart', status: { state: 'connected' } }]);

      await window.press('F5');
      await window.debugging.said(/cart listens on port/);
      expect(await request('http://cart/environment')).toMatchObject({ servedBy: here });
      await window.press('Shift+F5');
      await window.debugging.ended();
      expect(await sessions()).toEqual(standing);

      await window.command('Kubernetes Local: Disconnect');
      await stage.asBefore(before);
      await window.statusItem(/^Kubernetes Local: not connected/);
      await window.command('Kubernetes Local: Disconnect');
      await window.notification(/Nothing is connected/);
    });
  });

  it('stands on after debugging if a setting says so, and is used again', async () => {
    const before = await stage.world.snapshot();
    const delegate = { type: 'node', program: 'web.js' };
    const files = {
      ...launchFile(configured('service/web', delegate)),
      'settings.json': { 'kubernetes-local.disconnectAfterDebugging': false },
    };
    await stage.inWindow(stage.folder('web', files), async (window) => {
      await window.openFile('web.js');
      await window.press('F5');
      await window.debugging.said(/web listens on port/);
      const standing = await sessions();
      expect(standing).toMatchObject([{ target: 'service/web', status: { state: 'connected' } }]);
      await window.press('Shift+F5');
      await window.debugging.ended();
      await window.statusItem(/^Kubernetes Local: connected, web in /);
      expect(await sessions()).toEqual(standing);

      await window.press('F5');
      await runs('web.js');
      await vi.waitFor(async () => expect(await request('http://web/json')).toMatchObject({ webServedBy: here }), {
        timeout: 30_000,
      });
      expect(await sessions()).toEqual(standing);
      await window.press('Shift+F5');
      await window.debugging.ended();
      expect(await sessions()).toEqual(standing);

      await window.command('Kubernetes Local: Disconnect');
      await stage.asBefore(before);
      await window.statusItem(/^Kubernetes Local: not connected/);
    });
  });
});

describe('secrets in VS Code', () => {
  it('are shown only where and when the user wants to see them', async () => {
    const before = await stage.world.snapshot();
    const secrets = ['tok_demo_4f9c2b7e61', 'sk_demo_93d1'];
    const [token = ''] = secrets;
    const folder = stage.folder('cart');
    await stage.inWindow(folder, async (window) => {
      const expectNone = async () => {
        const shown = await window.page.content();
        const logged = await stage.server.logs();
        for (const secret of secrets) {
          expect(shown.includes(secret), 'a secret in the window').toBe(false);
          expect(logged.includes(secret), 'a secret in the log').toBe(false);
        }
      };
      await window.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await connectToCart(window);
      await window.command('Notifications: Clear All Notifications');
      await focusSessions(window);
      await openRow(window, /^Environment, \d+/);
      await goToRow(window, /^PAYMENT_TOKEN, from .*, a secret, hidden$/);
      await expectNone();

      await chooseFromMenu(window, /^PAYMENT_TOKEN,/, /^Show or Hide Value/);
      await goToRow(window, new RegExp(`^PAYMENT_TOKEN, from .*, ${token}$`));
      expect((await window.page.content()).includes(token), 'the revealed secret').toBe(true);
      await chooseFromMenu(window, /^PAYMENT_TOKEN,/, /^Show or Hide Value/);
      await goToRow(window, /^PAYMENT_TOKEN, from .*, a secret, hidden$/);
      await expectNone();

      await window.command('Kubernetes Local: Show Diagnostic Information');
      await window.tab('Diagnostic Information');
      expect(await window.editorText()).toContain('deployment/cart');
      await window.notification(/save a bundle/);
      await expectNone();
      await window.takeButton('notification', /^Save Bundle/);
      const bundle = join(folder, 'bundle.tar.gz');
      await saveAs(window, /Save Bundle/, bundle);
      await window.notification(/The bundle is .*bundle\.tar\.gz/);
      expect(existsSync(bundle)).toBe(true);
      const contents = execFileSync('tar', ['--extract', '--gzip', '--to-stdout', '--file', bundle], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      expect(contents).toContain('deployment/cart');
      for (const secret of secrets) expect(contents.includes(secret), 'a secret in the bundle').toBe(false);
      await expectNone();

      await window.command('Notifications: Clear All Notifications');
      await focusSessions(window);
      await chooseFromMenu(window, /^PAYMENT_TOKEN,/, /^Copy Value/);
      const clipboard = () => window.page.evaluate('navigator.clipboard.readText()');
      await vi.waitFor(async () => expect(await clipboard()).toBe(token), { timeout: 10_000 });

      await window.command('Kubernetes Local: Disconnect');
      await stage.asBefore(before);
      await window.statusItem(/^Kubernetes Local: not connected/);
    });
  });
});
