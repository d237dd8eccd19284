/** What is written for each editor, read as the templates in launch-templates/ are read. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { templates } from '../../../test/templates/launches.ts';
import { parseLaunchConfiguration } from '../../launch/configuration.ts';
import { configure } from '../configure.ts';
import type { Editor } from '../editor.ts';
import { app, ScriptedPrompter, serve, writeKubeconfig } from '../test-shop.ts';

const never = new AbortController().signal;

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'editor-files-'));
  folder = join(root, 'my cart');
  mkdirSync(folder);
  writeFileSync(join(folder, 'main.py'), '');
});
afterEach(() => rmSync(root, { recursive: true }));

/** Runs the flow for the only Service, with these answers after it. */
async function run(editor: Editor, ...answers: readonly (string | undefined)[]) {
  await using server = await serve(app('cart'));
  const kubeconfig = writeKubeconfig(root, { dev: { server: server.url, namespace: 'shop' } });
  const prompter = new ScriptedPrompter('cart', ...answers);
  const command = ['node', '/opt/kubernetes local/kubernetes-local.js'];
  const result = await configure({ folder, editor, prompter, kubeconfig, command }, never);
  expect(prompter.unused).toBe(0);
  return result;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const filesIn = (path: string) => readdirSync(join(folder, path)).sort();

const cases: readonly [editor: Editor, template: string, path: string][] = [
  ['vscode', 'vscode/launch.json', '.vscode/launch.json'],
  ['neovim', 'neovim/kubernetes-local.lua', '.kubernetes-local/cart-in-the-cluster.lua'],
  ['emacs', 'emacs/kubernetes-local-dap-mode.el', '.kubernetes-local/cart-in-the-cluster.el'],
  ['dape', 'emacs/kubernetes-local-dape.el', '.kubernetes-local/cart-in-the-cluster-dape.el'],
  ['helix', 'helix/languages.toml', '.helix/languages.toml'],
  ['kate', 'kate/dap.json', '.kubernetes-local/kate-dap.json'],
  ['sublime', 'sublime/kubernetes-local.sublime-project', 'my cart.sublime-project'],
  ['zed', 'zed/debug.json', '.zed/debug.json'],
  ['eclipse', 'eclipse/kubernetes-local.launch', 'cart-in-the-cluster.launch'],
  ['intellij', 'intellij/launch.json', '.kubernetes-local/intellij/cart-in-the-cluster/launch.json'],
  ['visual-studio', 'visual-studio/kubernetes-local.launch.json', '.kubernetes-local/cart-in-the-cluster.launch.json'],
];

describe.each(cases)('%s', (editor, template, path) => {
  /** The only launch configuration in a file. */
  function launchIn(file: string) {
    const [launch, ...others] = templates[template]?.launches(read(file)) ?? [];
    expect(others).toEqual([]);
    if (launch === undefined) throw new Error(`${file} has no launch configuration`);
    if (launch.command !== undefined) {
      expect(launch.command).toEqual(['kubernetes-local', 'dap', '--delegate', 'debugpy']);
    }
    return parseLaunchConfiguration(launch.configuration, file);
  }

  test('gets its files', async () => {
    const result = await run(editor, '5000');
    expect(result.written).toContainEqual({ path: join(folder, path), created: true });
    expect(result.advice.length).toBeGreaterThan(0);
    const told = parseLaunchConfiguration(result.configuration, 'the result');
    const { delegate, target, namespace, context, ports } = launchIn(path);
    expect({ delegate, target, namespace, context, ports }).toEqual({
      target: 'service/cart',
      namespace: 'shop',
      context: 'dev',
      ports: { '8080': 5000 },
      delegate: told.delegate,
    });
    expect(delegate?.program).toMatch(/[/}T]main\.py$|\$ZED_WORKTREE_ROOT\/main\.py$/);
  });

  test('has them changed in their places the second time', async () => {
    await run(editor, '5000');
    const before = readdirSync(folder, { recursive: true }).sort();
    const asItIs = ['vscode', 'kate', 'sublime', 'zed', 'intellij', 'visual-studio'].includes(editor);
    const { written } = await run(editor, 'Replace', '5001', ...(asItIs ? ['As it is'] : []));
    expect(written).toEqual([{ path: join(folder, path), created: false }]);
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
    expect(launchIn(path).ports).toEqual({ '8080': 5001 });
  });

  test('keeps both if that is wanted', async () => {
    await run(editor, '5000');
    const first = read(path);
    const { name } = await run(editor, 'Keep both', '5001');
    expect(name).toBe('cart in the cluster 2');
    const all = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('\n');
    expect(all).toContain('5000');
    expect(all).toContain('5001');
    if (!['vscode', 'kate', 'sublime', 'zed'].includes(editor)) expect(read(path)).toBe(first);
  });
});

test('a file of ours that the user has changed stays as it is', async () => {
  await run('neovim', '5000');
  const path = '.kubernetes-local/cart-in-the-cluster.lua';
  const changed = read(path).replace('local dap', '-- mine\nlocal dap');
  write(path, changed);
  const { written, advice } = await run('neovim', 'Replace', '5001');
  expect(written).toEqual([{ path: join(folder, '.kubernetes-local/cart-in-the-cluster-2.lua'), created: true }]);
  expect(advice[0]).toBe(`${join(folder, path)} stays, for you have changed it.`);
  expect(read(path)).toBe(changed);
});

test('the languages.toml of the user stays as it is', async () => {
  write('.helix/languages.toml', '# mine\n');
  const { written, advice } = await run('helix', undefined);
  expect(read('.helix/languages.toml')).toBe('# mine\n');
  expect(written).toEqual([{ path: join(folder, '.kubernetes-local/cart-in-the-cluster.toml'), created: true }]);
  expect(advice[0]).toMatch(/^Add what is in .*cart-in-the-cluster\.toml to your \.helix\/languages\.toml\.$/);
});

test('a project file of Sublime Text, whatever its name, keeps all that it has', async () => {
  const before = '{\n\t// mine\n\t"folders": [{ "path": "." }],\n\t"settings": {},\n}\n';
  write('work.sublime-project', before);
  await run('sublime', undefined);
  expect(filesIn('.')).toEqual(['main.py', 'work.sublime-project']);
  const after = read('work.sublime-project');
  expect(after.startsWith(before.slice(0, before.indexOf('\n}')))).toBe(true);
  expect(after).toContain('\n\t"debugger_configurations": [\n\t\t{\n\t\t\t"type": "kubernetes-local",');
});

test("the user's scenarios of Zed can be chosen, and stay", async () => {
  const mine = '{ "label": "Mine", "adapter": "Debugpy", "request": "launch", "program": "$ZED_WORKTREE_ROOT/x.py" }';
  write('.zed/debug.json', `[\n  ${mine} // why\n]\n`);
  const { configuration } = await run('zed', undefined, 'Mine');
  expect(configuration).toMatchObject({
    name: 'Mine in the cluster',
    delegate: { type: 'debugpy', request: 'launch', program: '$ZED_WORKTREE_ROOT/x.py' },
  });
  expect(read('.zed/debug.json').endsWith(`  ${mine} // why\n]\n`)).toBe(true);
});

test('the launch configurations of VS Code can be chosen for others, where they can be said', async () => {
  const launch = (name: string, program: string) => ({ name, type: 'debugpy', program, console: 'integratedTerminal' });
  const [here, asked] = ['workspaceFolder', 'input:which'].map((variable) => `$\{${variable}}`);
  write(
    '.vscode/launch.json',
    JSON.stringify({ configurations: [launch('Whole', `${here}/x.py`), launch('Asked', `${asked}`)] }),
  );
  const { configuration } = await run('eclipse', undefined, 'Whole');
  expect(configuration.delegate).toEqual({
    type: 'debugpy',
    program: `${folder}/x.py`,
    console: 'internalConsole',
  });
  await expect(run('eclipse', 'Keep both', undefined, 'Asked')).rejects.toThrow('"Asked" is not offered');
});

test('another debugger of Kate is another debug adapter', async () => {
  await run('kate', undefined);
  writeFileSync(join(folder, 'go.mod'), 'module cart\n');
  await run('kate', 'Replace', undefined, 'A new one for Go');
  const { dap } = JSON.parse(read('.kubernetes-local/kate-dap.json'));
  expect(dap).toMatchObject({
    'kubernetes-local go': {
      run: { command: ['kubernetes-local', 'dap', '--delegate', 'go'] },
      configurations: { 'cart in the cluster': { request: { delegate: { type: 'go', program: folder } } } },
    },
    'kubernetes-local debugpy': { configurations: {} },
  });
});

test('nothing is written for an editor that is not known', async () => {
  const { written, configuration } = await run('plain', undefined);
  expect(written).toEqual([]);
  expect(parseLaunchConfiguration(configuration, 'the result').delegate).toMatchObject({
    program: `${folder}/main.py`,
  });
  expect(filesIn('.')).toEqual(['main.py']);
});

test('the hook of tasks is for VS Code', async () => {
  const options = { folder, editor: 'neovim', prompter: new ScriptedPrompter(), hook: 'task' } as const;
  await expect(configure(options, never)).rejects.toMatchObject({ code: 'bad-arguments' });
});
