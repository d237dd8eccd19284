/** The extension in a real VS Code, worked with by the keyboard alone, on the real cluster. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensurePackages } from '../cluster/packages.ts';
import { run } from '../cluster/run.ts';
import { focusSessions, openRow } from '../editors/vscode/sessions-view.ts';
import { openStage, type Stage } from '../editors/vscode/stage.ts';
import type { Workbench } from '../editors/vscode/workbench.ts';
import { isDaemon, processesOf, sharedCluster } from '../stage/world.ts';

let stage: Stage;
beforeAll(async () => {
  if (process.env.KUBERNETES_LOCAL_PICTURES !== undefined) await ensurePackages(['imagemagick']);
  stage = await openStage('e2e-vscode');
}, 600_000);
afterAll(() => stage?.[Symbol.asyncDispose]());

/** Where in a program of the shop some code stands, and within it the expression to look at. */
function placeOf(app: 'cart/cart.py' | 'web/web.js', code: string, expression: string) {
  const lines = readFileSync(join(import.meta.dirname, '..', 'apps', 'shop', app), 'utf8').split('\n');
  const index = lines.findIndex((text) => text.includes(code));
  const column = (lines[index]?.indexOf(expression) ?? -1) + 1;
  return { line: index + 1, column };
}

const inCart = placeOf('cart/cart.py', 'total = checkout_total(items, prices)', 'items, prices');
const inWeb = placeOf('web/web.js', 'response.end(json ? `${JSON.stringify({ ...cart,', 'cart, webServedBy');

/** A launch configuration of ours. */
function launch(target: string, delegate: object): Readonly<Record<string, object>> {
  const configuration = { type: 'kubernetes-local', request: 'launch', name: `${target} here`, target, delegate };
  return { 'launch.json': { version: '0.2.0', configurations: [configuration] } };
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: VS Code fills it in
const node = { type: 'node', request: 'launch', program: '${workspaceFolder}/web.js' };
const python = { type: 'debugpy', request: 'launch', program: '${workspaceFolder}/cart.py' };
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: it was above

/** Sends requests from a pod until one of them stops the program; gives its answer, which comes when it goes on. */
async function requestThatStops(window: Workbench, file: string, line: number): Promise<{ answer: Promise<string> }> {
  const stopped = window.debugging.stoppedAt(file, line).then(() => 'stopped');
  for (;;) {
    const answer = stage.world.shop.request('http://web/json');
    const answered = answer.then(
      () => 'answered',
      () => 'answered',
    );
    if ((await Promise.race([stopped, answered])) === 'stopped') return { answer };
  }
}

/** The processes of a program of the shop. */
function programs(file: string): readonly number[] {
  return processesOf(stage.world.state).flatMap(({ pid, command }) => (command.endsWith(file) ? [pid] : []));
}

/** Restarts debugging; resolves when every process of the program is another one. */
async function restart(window: Workbench, file: string): Promise<void> {
  const before = programs(file);
  await window.press('Control+Shift+F5');
  await vi.waitFor(
    () => {
      const now = programs(file);
      if (now.length === 0 || now.some((pid) => before.includes(pid))) throw new Error(`${file} was not started anew`);
    },
    { timeout: 30_000 },
  );
}

/** Writes how long each step took, for whoever wants to know. */
function tell(title: string, window: Workbench): void {
  const steps = window.interactions.map(({ what, at }) => `${(at / 1000).toFixed(1).padStart(6)} s  ${what}`);
  process.stdout.write(`${title}\n${steps.join('\n')}\n`);
}

/** A picture for the documentation, where they are asked for. */
async function picture(window: Workbench, name: string): Promise<void> {
  if (process.env.KUBERNETES_LOCAL_PICTURES === undefined) return;
  const folder = join(import.meta.dirname, '..', '..', 'docs', 'images');
  mkdirSync(folder, { recursive: true });
  await window.picture(join(folder, `vscode-${name}.png`), ['Variables', 'Watch', 'Call Stack']);
}

/** The process of the one session that stands. */
function daemonOf(state: string): number {
  const daemons = processesOf(state).filter(({ command }) => isDaemon(command));
  if (daemons.length !== 1 || daemons[0] === undefined) throw new Error(`${daemons.length} daemons`);
  return daemons[0].pid;
}

describe('VS Code', () => {
  it('leads a newcomer to the first breakpoint in six interactions, by our own debug adapter', async () => {
    const before = await stage.world.snapshot();
    await stage.inWindow(stage.folder('cart'), async (window) => {
      await window.openFile('cart.py', inCart.line);

      window.countAnew();
      await window.press('F9');
      await window.command('Kubernetes Local: Configure');
      await window.question(/Service/);
      await picture(window, 'configure');
      await window.choose(/Service/, /^cart/);
      await window.type(/port/);
      await window.notification(/is in launch\.json/);
      await window.press('F5');
      const first = await requestThatStops(window, 'cart.py', inCart.line);
      window.note('stopped at the breakpoint');
      tell('A newcomer', window);
      expect(window.interactions.length - 1).toBeLessThanOrEqual(6);

      await window.command('Notifications: Clear All Notifications');
      await window.command('View: Close Editors in Other Groups');
      await window.goTo(inCart.line, inCart.column);
      expect(await window.debugging.hover()).toContain("'Espresso': 2");
      await picture(window, 'breakpoint');
      await window.press('F5');
      expect(JSON.parse(await first.answer)).toMatchObject({ cartServedBy: expect.stringMatching(/^this computer/) });
      expect(JSON.parse(await stage.world.shop.request('http://cart/environment'))).toMatchObject({
        servedBy: expect.stringMatching(/^this computer/),
        POD_NAMESPACE: stage.world.shop.namespace,
        PAYMENT_TOKEN: '19 characters',
      });

      await restart(window, 'cart.py');
      const second = await requestThatStops(window, 'cart.py', inCart.line);
      await window.press('F5');
      await second.answer;

      await focusSessions(window);
      await window.row('Kubernetes Local', /^cart in .*, connected/);
      await window.row('Kubernetes Local', /^Environment, \d+/);
      await openRow(window, /^Service names, \d+/);
      for (const name of [...(await window.rowsOf('Kubernetes Local')), ...(await window.statusItems())]) {
        expect(name).toMatch(/\w/);
      }
      await picture(window, 'tree');
      await window.command('Kubernetes Local: Show Diagnostic Information');
      await window.tab('Diagnostic Information');
      expect(await window.editorText()).toContain('deployment/cart');
      await picture(window, 'diagnostics');

      await window.command('Notifications: Clear All Notifications');
      await window.press('Shift+F5');
      await window.debugging.ended();
      await stage.asBefore(before);
      await window.statusItem(/^Kubernetes Local: not connected/);
      await window.noRows('Kubernetes Local');
      await picture(window, 'stopped');
    });
  });

  it("debugs with VS Code's own debugger", async () => {
    const before = await stage.world.snapshot();
    await stage.inWindow(stage.folder('web', launch('service/web', node)), async (window) => {
      await window.openFile('web.js', inWeb.line);
      await window.press('F9');
      await window.press('F5');
      await window.debugging.said(/web listens on port/);
      const first = await requestThatStops(window, 'web.js', inWeb.line);
      await window.goTo(inWeb.line, inWeb.column);
      expect(await window.debugging.hover()).toContain('Good to see you');
      await window.press('F5');
      expect(JSON.parse(await first.answer)).toMatchObject({ webServedBy: expect.stringMatching(/^this computer/) });

      await restart(window, 'web.js');
      const second = await requestThatStops(window, 'web.js', inWeb.line);
      await window.press('F5');
      await second.answer;

      await window.command('Kubernetes Local: Show Diagnostic Information');
      await window.tab('Diagnostic Information');
      expect(await window.editorText()).toContain('deployment/web');
      await window.press('Shift+F5');
      await window.debugging.ended();
    });
    await stage.asBefore(before);
  });

  it('undoes everything when its window is closed', async () => {
    const before = await stage.world.snapshot();
    await stage.inWindow(stage.folder('cart', launch('service/cart', python)), async (window) => {
      await window.openFile('cart.py');
      await window.press('F5');
      await window.debugging.said(/cart listens on port/);
      await window.close();
    });
    await stage.asBefore(before);
  });

  it('undoes everything when its extension host is killed', async () => {
    const before = await stage.world.snapshot();
    await stage.inWindow(stage.folder('web', launch('service/web', node)), async (window) => {
      await window.openFile('web.js');
      await window.press('F5');
      await window.debugging.said(/web listens on port/);
      for (const pid of stage.server.extensionHosts()) process.kill(pid, 'SIGKILL');
      // VS Code's own debugger leaves the program to itself.
      for (const pid of programs('web.js')) process.kill(pid, 'SIGKILL');
    });
    await stage.asBefore(before);
  });

  it.each([
    ['cart', 'cart.py', python, "our own debug adapter's"],
    ['web', 'web.js', node, "the extension's"],
  ] as const)('undoes everything when connecting is cancelled: %s, %s', async (app, file, delegate, _whose) => {
    const before = await stage.world.snapshot();
    await stage.inWindow(stage.folder(app, launch(`service/${app}`, delegate)), async (window) => {
      await window.openFile(file);
      await window.settled();
      // Slow enough for a person to look for the button.
      await stage.world.cluster.setRtt(300);
      try {
        await window.press('F5');
        const { buttons } = await window.notification(/Connecting/);
        expect(buttons).toContain('Cancel');
        await window.takeButton('notification', /^Cancel$/);
      } finally {
        await stage.world.cluster.setRtt(0);
      }
      await window.debugging.ended();
      await window.statusItem(/^Kubernetes Local: not connected/);
    });
    await stage.asBefore(before);
  });

  it('gives a launch configuration of another debugger the environment, by a task before it', async () => {
    const before = await stage.world.snapshot();
    const folder = stage.folder('web', {
      'launch.json': {
        version: '0.2.0',
        configurations: [{ ...node, name: 'web', preLaunchTask: 'connect web' }],
      },
      'tasks.json': {
        version: '2.0.0',
        tasks: [
          {
            label: 'connect web',
            type: 'kubernetes-local',
            action: 'connect',
            target: 'service/web',
            isBackground: true,
            problemMatcher: '$kubernetes-local',
          },
        ],
      },
    });
    await stage.inWindow(folder, async (window) => {
      await window.openFile('web.js', inWeb.line);
      await window.press('F9');
      await window.press('F5');
      await window.debugging.said(/web listens on port/);
      const { answer } = await requestThatStops(window, 'web.js', inWeb.line);
      await window.press('F5');
      expect(JSON.parse(await answer)).toMatchObject({ webServedBy: expect.stringMatching(/^this computer/) });
      await window.press('Shift+F5');
      await window.debugging.ended();
    });
    await stage.asBefore(before);
  });

  it('says what is wrong with a target, and leads to the prompt by a button', async () => {
    const before = await stage.world.snapshot();
    await stage.inWindow(stage.folder('cart', launch('service/crat', python)), async (window) => {
      await window.openFile('cart.py');
      await window.press('F5');
      const { text } = await window.dialog(/crat/);
      expect(text).toContain('cart');
      await window.takeButton('dialog', /^Configure$/);
      await window.question(/Service/);
      await window.press('Escape');
    });
    await stage.asBefore(before);
  });

  it('undoes by a button what a killed session left', async () => {
    const before = await stage.world.snapshot();
    await stage.inWindow(stage.folder('web', launch('service/web', node)), async (window) => {
      await window.openFile('web.js');
      await window.press('F5');
      await window.debugging.said(/web listens on port/);
      process.kill(daemonOf(stage.world.state), 'SIGKILL');
      const { buttons } = await window.notification(/session daemon ended/);
      expect(buttons).toContain('Restore');
      await window.statusItem(/^Kubernetes Local:.*interrupted/);
      await window.takeButton('notification', /^Restore$/);
      await window.statusItem(/^Kubernetes Local: not connected/);
      await window.press('Shift+F5');
      await window.debugging.ended();
    });
    await stage.asBefore(before);
  });

  it('can be tried in a browser', async () => {
    const program = join(import.meta.dirname, '..', 'editors', 'vscode', 'main.ts');
    const { stdout } = await run([process.execPath, program, 'try', '--check', '--cluster', sharedCluster]);
    expect(stdout).toMatch(/http:\/\/127\.0\.0\.1:\d+\/\?folder=/);
    expect(stdout).toContain('VS Code shows: Kubernetes Local: not connected');
  });
});
