/** What the tests of the extension share: a cluster with a shop, VS Code with the extension installed, and a browser. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageExtension } from '../../../adapter/vscode/package/package.ts';
import { differences, type Snapshot, takeSnapshot } from '../../stage/snapshot.ts';
import { openWorld, processesOf, type World } from '../../stage/world.ts';
import { openBrowser } from './browser.ts';
import { type CodeServer, startCodeServer } from './code-server.ts';
import { installedVsCode } from './install.ts';
import { copyOf, withNamespace } from './shop-folder.ts';
import { Workbench } from './workbench.ts';

export interface Stage extends AsyncDisposable {
  readonly world: World;
  readonly server: CodeServer;
  /** A folder with a copy of a program of the shop, and files of its own, by their names below `.vscode`. */
  folder(app: 'cart' | 'web', files?: Readonly<Record<string, object>>): string;
  /** Works in a window that shows a folder. A failure comes with a picture of the window and what the extension wrote. */
  inWindow(folder: string, work: (window: Workbench) => Promise<void>): Promise<void>;
  /** Waits until cluster and computer are as in the snapshot; VS Code itself may be there. */
  asBefore(before: Snapshot): Promise<void>;
}

/** Sets it up in a namespace of its own. */
export async function openStage(namespace: string): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await openWorld(namespace));
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'kubernetes-local-stage-')));
  stack.defer(() => rmSync(place, { recursive: true, force: true }));
  const kubeconfig = join(place, 'kubeconfig');
  writeFileSync(kubeconfig, withNamespace(readFileSync(world.place.kubeconfig, 'utf8'), namespace), { mode: 0o600 });
  const vsCode = await installedVsCode((text) => process.stderr.write(`${text}\n`));
  const server = stack.use(
    await startCodeServer({
      vsCode,
      extensions: [await packageExtension(place)],
      environment: { KUBERNETES_LOCAL_STATE: world.state, KUBECONFIG: kubeconfig },
      settings: { 'kubernetes-local.agentImage': world.place.agentImage },
    }),
  );
  const browser = await openBrowser(vsCode.browser);
  stack.defer(() => browser.close());
  const held = stack.move();
  return {
    world,
    server,
    folder: (app, files = {}) => copyOf(app, mkdtempSync(join(place, 'folder-')), files),
    inWindow: async (folder, work) => {
      await using window = await Workbench.open(browser, server.address(folder));
      try {
        await work(window);
      } catch (error) {
        const picture = join(tmpdir(), `kubernetes-local-vscode-failed-${process.pid}.png`);
        await window.picture(picture).catch(() => undefined);
        const shown = await window.attention().catch((reason: unknown) => `not known: ${reason}`);
        const said = `It showed: ${shown || 'nothing that asks'}\n${await server.logs()}\n${lastLines(join(world.state, 'logs'))}`;
        const message = error instanceof Error ? error.message : String(error);
        throw new Error(`${message}\nThe window: ${picture}\n${said}`, { cause: error });
      }
    },
    asBefore: (before) => asBefore(before, world),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** The end of each log of the product. */
function lastLines(folder: string): string {
  if (!existsSync(folder)) return '';
  return readdirSync(folder)
    .map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8').split('\n').slice(-12).join('\n')}`)
    .join('\n');
}

const undoDeadlineMilliseconds = 60_000;

async function asBefore(before: Snapshot, world: World): Promise<void> {
  const end = Date.now() + undoDeadlineMilliseconds;
  for (;;) {
    const left = [
      ...differences(before, await takeSnapshot(world.shop.kubectl, world.shop.namespace)),
      ...processesOf(world.state)
        .filter(({ command }) => !isOfVsCode(command))
        .map(({ pid, command }) => `process ${pid} is left: ${command}`),
    ];
    if (left.length === 0) return;
    if (Date.now() > end) throw new Error(`Not as before:\n${left.join('\n')}`);
    await delay(100);
  }
}

/** Our own processes have the Node of VS Code too, but run our file. A terminal of VS Code stays when its program has ended. */
function isOfVsCode(command: string): boolean {
  if (command === '/usr/bin/bash' || command === '/bin/bash') return true;
  return /\/node_modules\/code-server\/(out|lib\/vscode)\//.test(command) && !command.includes('kubernetes-local.js');
}
