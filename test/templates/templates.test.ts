/** All files of launch-templates/: none is without a check, and each is valid for its program and for ours. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectCommand } from '../../adapter/cli/connect.ts';
import { dapCommand } from '../../adapter/cli/dap.ts';
import { disconnectCommand } from '../../adapter/cli/disconnect.ts';
import { runCommand } from '../../adapter/cli/run.ts';
import { findProfile } from '../../adapter/debuggers/registry.ts';
import { parseLaunchConfiguration } from '../../adapter/launch/configuration.ts';
import { checkedElsewhere } from './checked-elsewhere.ts';
import { readJsonc, readLisp, readToml, readXml } from './formats.ts';
import { templates } from './launches.ts';
import { markedLines, switchedOn } from './marked-lines.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'launch-templates');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
const editors = [...new Set(files.filter((path) => path.includes('/')).map((path) => path.split('/')[0] ?? ''))];

const commands = { dap: dapCommand, connect: connectCommand, disconnect: disconnectCommand, run: runCommand };

/** What the command line has against a command; our own commands only. */
function objections([program, name = '', ...args]: readonly string[]): string[] {
  if (program !== 'kubernetes-local') return [`${program} is not ours`];
  const make = Object.entries(commands).find(([one]) => one === name)?.[1];
  if (make === undefined) return [`there is no command ${name}`];
  const command = make().exitOverride();
  // What stands behind "--" is the program's.
  const end = args.indexOf('--');
  const { operands, unknown } = command.parseOptions(end < 0 ? args : args.slice(0, end));
  const target = name === 'dap' || command.opts().target !== undefined ? [] : ['no target'];
  return [...operands, ...unknown, ...target];
}

/** What follows `--delegate`. */
function namedDelegate(command: readonly string[]): string | undefined {
  const at = command.indexOf('--delegate');
  return at < 0 ? undefined : command[at + 1];
}

describe('no file is without a check', () => {
  test('each file is known', () => {
    const known = new Set([...Object.keys(templates), ...Object.keys(checkedElsewhere), 'README.md', 'biome.json']);
    const readmes = new Set(editors.map((editor) => `${editor}/README.md`));
    expect(files.filter((path) => !known.has(path) && !readmes.has(path))).toEqual([]);
  });

  test('each check has its file', () => {
    const checked = [...Object.keys(templates), ...Object.keys(checkedElsewhere)];
    expect(checked.filter((path) => !files.includes(path))).toEqual([]);
  });

  test.each(Object.entries(checkedElsewhere))('%s is checked by %s', (path, by) => {
    expect(existsSync(join(root, by))).toBe(true);
    const name = path.split('/').at(-1) ?? '';
    expect(readFileSync(join(root, by), 'utf8')).toContain(name.replace(/\.[a-z]+$/, ''));
  });

  test.each(editors)('%s has a README, which the table links and which names its files', (editor) => {
    expect(read('README.md')).toContain(`](${editor}/README.md)`);
    const readme = read(`${editor}/README.md`);
    const own = [...Object.keys(templates)].filter((path) => dirname(path) === editor);
    for (const path of own) expect(readme).toContain(path.slice(editor.length + 1));
  });
});

/** What reads a file by the end of its name, if that says it. */
const readersByName: readonly (readonly [name: RegExp, read: (text: string) => unknown])[] = [
  [/\.(json|sublime-project)$/, readJsonc],
  [/\.toml$/, readToml],
  [/\.(props|targets|launch)$/, readXml],
  [/\.el$/, readLisp],
];

describe('each file is one of its format', () => {
  const named = files.flatMap((path) =>
    readersByName.filter(([name]) => name.test(path)).map(([, reader]) => [path, reader] as const),
  );
  test.each(named)('%s', (path, reader) => {
    expect(reader(read(path))).toBeDefined();
  });
});

describe.each(Object.entries(templates))('%s', (path, { mark, launches, commands: ownCommands, toChange }) => {
  const text = read(path);
  const all = launches(text);

  test('is valid', () => {
    for (const { configuration } of all) {
      const { target, delegate } = parseLaunchConfiguration(configuration, path);
      expect(target).toBe('service/cart');
      if (delegate !== undefined) expect(findProfile(delegate.type).types).toContain(delegate.type);
    }
  });

  test('starts the debug adapter with what the configuration says', () => {
    for (const { configuration, command } of all) {
      if (command === undefined) continue;
      expect(objections(command)).toEqual([]);
      expect(namedDelegate(command)).toBe(parseLaunchConfiguration(configuration, path).delegate?.type);
    }
    for (const command of ownCommands?.(text) ?? []) expect(objections(command)).toEqual([]);
  });

  test('is valid with its commented keys', () => {
    const [first] = mark === undefined ? [] : launches(switchedOn(text, mark));
    if (!text.includes('registry.example.com') || first === undefined) {
      // It has none.
      expect(text).not.toMatch(/^\s*(?:\/\/|--|#|;;) "?:?namespace/m);
      return;
    }
    expect(parseLaunchConfiguration(first.configuration, path)).toMatchObject({
      namespace: 'shop',
      context: 'dev',
      container: 'cart',
      ports: { '8080': 5000 },
      agentImage: 'registry.example.com/team/agent:1',
    });
  });

  test('says which lines to change', () => {
    if (mark === undefined) {
      const readme = read(`${path.split('/')[0]}/README.md`);
      for (const part of toChange ?? []) {
        expect(text).toContain(part);
        expect(readme).toContain(part);
      }
      return;
    }
    const targets = text.split('\n').filter((line) => /service\/cart/.test(line));
    const marked = markedLines(text, mark);
    expect(marked).toEqual(expect.arrayContaining(targets));
    expect(marked.length + targets.length > 0 || all.length === 0).toBe(true);
  });
});
