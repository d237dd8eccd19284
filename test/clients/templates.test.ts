/**
 * The files of launch-templates/ as their users take them: the marked lines are changed, and no others; then the editor
 * debugs with what stands there to a breakpoint. Variables such as the workspace's folder are put in as the editor does.
 */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Raw } from '../../adapter/dap/message.ts';
import { realDebuggers } from '../debuggers/install.ts';
import { type Launch, lsp4ijCommand, templates } from '../templates/launches.ts';
import { changed, replaced } from '../templates/marked-lines.ts';
import { Dape } from './dape.ts';
import { readByEmacs } from './emacs.ts';
import { Helix } from './helix.ts';
import { Kate } from './kate.ts';
import { Lsp4e, Lsp4ij } from './lsp4.ts';
import { readByNeovim } from './neovim.ts';
import { NvimDap } from './nvim-dap.ts';
import { type DebuggerType, programOf, sceneOf } from './scene.ts';
import { debugged, leftNothing, type Starter } from './stage.ts';
import { Sublime } from './sublime.ts';
import { commandsOfPackage, pythonOfPackage } from './sublime-plugin.ts';
import { freePort } from './tcp.ts';
import { VisualStudio } from './visual-studio.ts';
import { VsCode } from './vscode.ts';

const folder = join(import.meta.dirname, '..', '..', 'launch-templates');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const programs: Readonly<Record<DebuggerType, string>> = { debugpy: 'greeting.py', node: 'greeting.mjs' };
const workspace = dirname(programOf('debugpy').path);

/** The launches of a template whose marked lines have been changed. */
function launchesOf(path: string, changes: Readonly<Record<string, string>>): readonly Launch[] {
  const template = templates[path];
  if (template === undefined) throw new Error(`${path} is no template.`);
  const { mark, launches } = template;
  return launches(mark === undefined ? replaced(read(path), changes) : changed(read(path), mark, changes));
}

/** The launch for a debugger, with its variables put in. */
function launchFor(
  type: DebuggerType,
  launches: readonly Launch[],
  variables: Readonly<Record<string, string>>,
): Launch {
  const found = launches.find(({ configuration }) => delegateOf(configuration) === type);
  if (found === undefined) throw new Error(`There is no launch for ${type}.`);
  return { ...found, configuration: JSON.parse(replaced(JSON.stringify(found.configuration), variables)) };
}

/** The `delegate.type` of a configuration; Helix has JSON there. */
function delegateOf({ delegate }: Raw): unknown {
  const object: unknown = typeof delegate === 'string' ? JSON.parse(delegate) : delegate;
  return typeof object === 'object' && object !== null ? Reflect.get(object, 'type') : undefined;
}

const usualCommand = (type: DebuggerType) => ['kubernetes-local', 'dap', '--delegate', type];
const workspaceFolder = { '${workspaceFolder}': workspace };

interface Case {
  readonly type: DebuggerType;
  readonly start: Starter;
  /** The configuration, and the command that starts the debug adapter. */
  launch(): Promise<Required<Launch>> | Required<Launch>;
}

const vscode = (type: DebuggerType, original: string): Case => ({
  type,
  start: (scene) => new VsCode(scene),
  launch: () => {
    const launches = launchesOf('vscode/launch.json', { [original]: programs[type] });
    // The extension names the delegate.
    return { command: usualCommand(type), ...launchFor(type, launches, workspaceFolder) };
  },
});

const helix = (type: DebuggerType, original: string): Case => ({
  type,
  start: (scene) => new Helix(scene),
  launch: () => {
    // The emulated Helix does not run in the folder of the program.
    const launches = launchesOf('helix/languages.toml', { [original]: programOf(type).path });
    const { configuration, command = [] } = launchFor(type, launches, {});
    return { configuration, command };
  },
});

const sublime = (type: DebuggerType, original: string): Case => ({
  type,
  start: (scene) => new Sublime(scene),
  launch: async () => {
    const launches = launchesOf('sublime/kubernetes-local.sublime-project', { [original]: programs[type] });
    const { configuration } = launchFor(type, launches, workspaceFolder);
    const { python } = await realDebuggers();
    const bin = mkdtempSync(join(tmpdir(), 'kubernetes-local-test-'));
    try {
      const program = join(bin, 'kubernetes-local');
      symlinkSync(process.execPath, program);
      const environment = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
      const [older, newer = []] = await commandsOfPackage(python, configuration, environment);
      expect(older).toEqual(newer);
      const [started, ...args] = newer;
      expect(started).toBe(program);
      return { configuration, command: ['kubernetes-local', ...args] };
    } finally {
      rmSync(bin, { recursive: true });
    }
  },
});

const cases: Readonly<Record<string, Case>> = {
  'VS Code, Python': vscode('debugpy', 'main.py'),
  'VS Code, Node': vscode('node', 'main.js'),
  'Neovim, Python': {
    type: 'debugpy',
    start: (scene) => new NvimDap(scene),
    launch: async () => {
      const changes = { 'main.py': programs.debugpy };
      const made = await readByNeovim(changed(read('neovim/kubernetes-local.lua'), '--', changes));
      const [adapter] = made.adapters;
      const launches = (made.configurations.python ?? []).map((configuration) => ({ configuration }));
      const { configuration } = launchFor('debugpy', launches, workspaceFolder);
      return { configuration, command: [adapter?.command ?? '', ...(adapter?.args ?? [])] };
    },
  },
  'Neovim, Node': {
    type: 'node',
    start: (scene) => new NvimDap(scene),
    launch: async () => {
      const changes = { 'main.py': programs.node, '"debugpy"': '"node"', '"python"': '"javascript"' };
      const made = await readByNeovim(changed(read('neovim/kubernetes-local.lua'), '--', changes));
      const [adapter] = made.adapters;
      const launches = (made.configurations.javascript ?? []).map((configuration) => ({ configuration }));
      const { configuration } = launchFor('node', launches, workspaceFolder);
      return { configuration, command: [adapter?.command ?? '', ...(adapter?.args ?? [])] };
    },
  },
  'dape, Python': {
    type: 'debugpy',
    start: (scene) => new Dape(scene),
    launch: async () => {
      const changes = { '"~/cart/main.py"': `"${programOf('debugpy').path}"`, '"~/cart"': `"${workspace}"` };
      const made = await readByEmacs(changed(read('emacs/kubernetes-local-dape.el'), ';', changes));
      return { configuration: made.configuration, command: [made.command, ...made.args] };
    },
  },
  'Helix, Python': helix('debugpy', 'main.py'),
  'Helix, Node': helix('node', 'main.js'),
  'Sublime Text, Python': sublime('debugpy', 'main.py'),
  'Sublime Text, Node': sublime('node', 'main.js'),
  'LSP4E, Python': {
    type: 'debugpy',
    start: (scene) => new Lsp4e(scene),
    launch: () => {
      const changes = { '/home/you/cart/main.py': programOf('debugpy').path, '/home/you/cart': workspace };
      const [launch] = launchesOf('eclipse/kubernetes-local.launch', changes);
      const { configuration = {}, command = [] } = launch ?? {};
      // `DSPLaunchDelegate.launch` adds it.
      return { configuration: { ...configuration, noDebug: false }, command };
    },
  },
  'LSP4E, Node': {
    type: 'node',
    start: (scene) => new Lsp4e(scene),
    launch: () => {
      const paths = { '/home/you/cart/main.py': programOf('node').path, '/home/you/cart': workspace };
      const [launch] = launchesOf('eclipse/kubernetes-local.launch', { ...paths, debugpy: 'node' });
      const { configuration = {}, command = [] } = launch ?? {};
      return { configuration: { ...configuration, noDebug: false }, command };
    },
  },
  'Visual Studio, Python': {
    type: 'debugpy',
    start: (scene) => new VisualStudio(scene),
    launch: () => {
      const text = (path: string) => JSON.stringify(path).slice(1, -1);
      const changes = {
        'C:\\\\src\\\\cart\\\\main.py': text(programOf('debugpy').path),
        'C:\\\\src\\\\cart': text(workspace),
      };
      const [launch] = launchesOf('visual-studio/kubernetes-local.launch.json', changes);
      const { configuration = {}, command = [] } = launch ?? {};
      return { configuration, command };
    },
  },
  'Kate, Python': {
    type: 'debugpy',
    start: (scene) => new Kate(scene),
    launch: () => {
      const changes = { '/home/user/cart/main.py': programOf('debugpy').path, '/home/user/cart': workspace };
      const [launch] = launchesOf('kate/dap.json', changes);
      const { configuration = {}, command = [] } = launch ?? {};
      return { configuration, command };
    },
  },
};

/** LSP4IJ chooses the port of its server. */
async function startLsp4ij(type: DebuggerType): Promise<{ start: Starter; launch: Required<Launch> }> {
  const port = await freePort();
  const changes = { '--delegate debugpy': `--delegate ${type}`, '"debugpy"': `"${type}"` };
  const variables = { ...workspaceFolder, '${file}': programOf(type).path };
  const launches = launchesOf('intellij/launch.json', changes);
  const command = lsp4ijCommand(replaced(read('intellij/template.json'), changes), port);
  return { start: (scene) => new Lsp4ij(scene, port), launch: { ...launchFor(type, launches, variables), command } };
}

async function debugs(type: DebuggerType, start: Starter, { configuration, command }: Required<Launch>): Promise<void> {
  await debugged(start, sceneOf(type, command, configuration), async (client) => {
    const stop = await client.stopped();
    expect(stop.line).toBe(client.scene.breakpoint.line);
    expect(stop.variables.get('greeting')).toBe("'from the cluster'");
    await leftNothing(client, () => Promise.all([client.stop(), client.gone()]));
    expect(client.journal).toBe('connecting\nconnected\nundone\n');
  });
}

describe.concurrent('a shipped template', () => {
  test.each(Object.entries(cases))('of %s', async (_name, { type, start, launch }) => {
    await debugs(type, start, await launch());
  });

  test.each(['debugpy', 'node'] as const)('of LSP4IJ, %s', async (type) => {
    const { start, launch } = await startLsp4ij(type);
    await debugs(type, start, launch);
  });
});

test('the package for Sublime Text is loaded where Debugger is', () => {
  expect(pythonOfPackage).toBe('3.8');
});
