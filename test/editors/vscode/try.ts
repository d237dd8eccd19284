/**
 * `npm run try:vscode`: the extension in a real VS Code in your browser, with the shop on a real cluster of its own.
 * `--check` opens the page by itself, sees that the extension runs, and ends.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageExtension } from '../../../adapter/vscode/package/package.ts';
import { Narrator } from '../../demo/narrator.ts';
import { openPlace } from '../../demo/place.ts';
import { processesOf } from '../../stage/world.ts';
import { openBrowser } from './browser.ts';
import { startCodeServer } from './code-server.ts';
import { installedVsCode } from './install.ts';
import { copyOf, withNamespace } from './shop-folder.ts';
import { until } from './until.ts';
import { Workbench } from './workbench.ts';

const namespace = 'kubernetes-local-demo';

/** Runs until Ctrl-C, then takes everything down. */
export async function tryVsCode(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { check: { type: 'boolean', default: false }, cluster: { type: 'string', default: 'demo' } },
  });
  const narrator = new Narrator(process.stdout);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
  }
  const { signal } = interrupted;
  try {
    await using stack = new AsyncDisposableStack();
    narrator.title('kubernetes-local in VS Code');
    const demo = { context: undefined, namespace, imagePrefix: undefined, keep: false, picture: undefined };
    const { shop, cluster, agentImage } = stack.use(await openPlace(demo, narrator, values.cluster));
    signal.throwIfAborted();

    narrator.step('VS Code, with the extension installed from its package');
    const vsCode = await installedVsCode((text) => narrator.detail(text), signal);
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kubernetes-local-try-')));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const state = join(folder, 'state');
    stack.defer(() => sessionsEnded(state));
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, withNamespace(readFileSync(`${cluster.kubeconfig}`, 'utf8'), namespace), { mode: 0o600 });
    const server = stack.use(
      await startCodeServer(
        {
          vsCode,
          extensions: [await packageExtension(folder)],
          environment: { KUBECONFIG: kubeconfig, KUBERNETES_LOCAL_STATE: state },
          settings: { 'kubernetes-local.agentImage': agentImage },
        },
        signal,
      ),
    );
    const cart = copyOf('cart', folder, {});
    const web = copyOf('web', folder, { 'launch.json': { version: '0.2.0', configurations: [webHere] } });

    narrator.step('Ready. Open in a browser on this computer');
    narrator.say(guide({ cart: server.address(cart), web: server.address(web), visit: visit(shop.kubectl.argv) }));
    if (values.check) {
      const browser = await openBrowser(vsCode.browser);
      stack.defer(() => browser.close());
      await using window = await Workbench.open(browser, server.address(cart));
      narrator.good(`VS Code shows: ${await window.statusItem(/^Kubernetes Local:/)}`);
      return;
    }
    narrator.say('Ctrl-C ends it and takes everything down.');
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    narrator.step('Taking everything down');
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const webHere = {
  type: 'kubernetes-local',
  request: 'launch',
  name: 'web in the cluster',
  target: 'service/web',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: VS Code fills it in
  delegate: { type: 'node', request: 'launch', program: '${workspaceFolder}/web.js' },
};

function guide({ cart, web, visit }: { readonly cart: string; readonly web: string; readonly visit: string }): string {
  return `cart, nothing configured yet:  ${cart}
  open cart.py, click beside "total = …" or press F9 there, press F1, type "Kubernetes Local: Configure", press Enter
  for each question, then F5.
web, ready for F5:             ${web}
Then send a request from inside the cluster, which stops at your breakpoint:
  ${visit}`;
}

/** The daemons undo by themselves when VS Code is gone; until then they need their folder and the cluster. */
async function sessionsEnded(state: string): Promise<void> {
  await until(async () => processesOf(state).length === 0 || undefined, 'the end of its sessions', 60_000);
}

/** The command line that sends a request from a pod. */
function visit(kubectl: readonly string[]): string {
  const words = [...kubectl, 'exec', '-n', namespace, 'visitor', '--', 'wget', '-q', '-O', '-', 'http://web/json'];
  return words.join(' ');
}
