/** The files for Visual Studio and MSBuild: each is what its reader takes, and says what our command line understands. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { connectCommand } from '../../adapter/cli/connect.ts';
import { dapCommand } from '../../adapter/cli/dap.ts';
import { disconnectCommand } from '../../adapter/cli/disconnect.ts';
import { runCommand } from '../../adapter/cli/run.ts';
import { parseLaunchConfiguration } from '../../adapter/launch/configuration.ts';
import { type Element, readJson, readXml } from './formats.ts';
import { readPkgdef, windowsWords } from './windows.ts';

const folder = join(import.meta.dirname, '..', '..', 'launch-templates');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const object = z.record(z.string(), z.unknown());

/** What a command has against its arguments; those after "--" are another program's. */
function objections(command: Command, args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  const { operands, unknown } = command.exitOverride().parseOptions(end < 0 ? [...args] : args.slice(0, end));
  return [...operands, ...unknown];
}

/** The debug adapter's command line behind the script. */
function checkAdapter(words: readonly string[], delegate: unknown): void {
  const [script, name, ...args] = words;
  expect(script).toMatch(/\\kubernetes-local\.js$/);
  expect(name).toBe('dap');
  expect(objections(dapCommand(), args)).toEqual([]);
  expect(args).toEqual(['--delegate', delegate]);
}

describe('kubernetes-local.launch.json', () => {
  const launch = object.parse(readJson(read('visual-studio/kubernetes-local.launch.json')));

  test('is a launch configuration, with what is for Visual Studio alone', () => {
    expect(parseLaunchConfiguration(launch, 'it')).toMatchObject({
      target: 'service/cart',
      delegate: { type: 'debugpy' },
    });
    expect(launch.$adapter).toMatch(/\\node\.exe$/);
    checkAdapter(windowsWords(z.string().parse(launch.$adapterArgs)), 'debugpy');
  });
});

describe('launch.vs.json', () => {
  const { configurations } = z
    .strictObject({ version: z.literal('0.2.1'), defaults: object, configurations: z.array(object).length(1) })
    .parse(readJson(read('visual-studio/launch.vs.json')));

  test('is a launch configuration, with the file that it belongs to', () => {
    expect(parseLaunchConfiguration(configurations[0], 'it')).toMatchObject({
      type: 'kubernetes-local',
      target: 'service/cart',
      delegate: { type: 'debugpy' },
    });
    expect(configurations[0]).toMatchObject({ project: 'main.py' });
  });
});

describe('launchSettings.json', () => {
  const { profiles } = z
    .strictObject({ profiles: z.record(z.string(), object) })
    .parse(readJson(read('visual-studio/launchSettings.json')));

  test('runs the program by our command line', () => {
    const profile = z
      .strictObject({
        commandName: z.literal('Executable'),
        executablePath: z.string(),
        commandLineArgs: z.string(),
        workingDirectory: z.string(),
      })
      .parse(profiles['Cart in the cluster']);
    const [script, name, ...args] = windowsWords(profile.commandLineArgs);
    expect(script).toMatch(/\\kubernetes-local\.js$/);
    expect(name).toBe('run');
    const command = runCommand();
    expect(objections(command, args)).toEqual([]);
    expect(command.opts().target).toBe('service/cart');
    expect(args.slice(args.indexOf('--'))).toEqual(['--', 'dotnet', '$(TargetPath)']);
  });
});

describe('kubernetes-local.pkgdef', () => {
  const sections = readPkgdef(read('visual-studio/kubernetes-local.pkgdef'));

  test('registers one engine with the Debug Adapter Host', () => {
    expect([...sections.keys()]).toEqual([
      expect.stringMatching(/^\$RootKey\$\\AD7Metrics\\Engine\\\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$/),
    ]);
    const values = Object.fromEntries([...sections.values()][0] ?? []);
    expect(values).toMatchObject({
      CLSID: '{DAB324E9-7B35-454C-ACA8-F6BB0D5C8673}',
      AlwaysLoadLocal: 1,
      Name: expect.any(String),
      Adapter: '$PackageFolder$\\node.exe',
    });
    checkAdapter(windowsWords(String(values.AdapterArgs)), 'debugpy');
  });
});

describe('MSBuild', () => {
  const files = readdirSync(join(folder, 'msbuild')).filter((name) => /\.(props|targets)$/.test(name));
  const texts = new Map(files.map((name) => [name, read(`msbuild/${name}`)]));
  const all = [...texts.values()].join('\n');
  const readme = read('msbuild/README.md');

  test('has these files', () => {
    expect(files.sort()).toEqual([
      'KubernetesLocal.Run.targets',
      'KubernetesLocal.Sdk.targets',
      'KubernetesLocal.props',
      'KubernetesLocal.targets',
    ]);
  });

  test.each(files)('%s is a project', (name) => {
    expect(readXml(texts.get(name) ?? '')).toMatchObject({
      name: 'Project',
      attributes: { xmlns: 'http://schemas.microsoft.com/developer/msbuild/2003' },
    });
  });

  const elements = (element: Element): Element[] => [element, ...element.children.flatMap(elements)];
  const targets = [...texts.values()]
    .flatMap((text) => elements(readXml(text)))
    .filter(({ name }) => name === 'Target')
    .map(({ attributes }) => attributes.Name ?? '');
  const documented = new Set(readme.match(/\bKubernetesLocal[A-Z]\w*/g));

  test('each property that is read has its row in the README, and so has each target', () => {
    const properties = new Set([...all.matchAll(/\$\((KubernetesLocal\w+)/g)].map(([, name]) => name ?? ''));
    expect(properties.size).toBeGreaterThan(15);
    const rows = new Set([...readme.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name ?? ''));
    expect([...rows].sort()).toEqual(
      [...properties, ...targets.filter((name) => !name.startsWith('_'))].filter((name) => name !== 'Run').sort(),
    );
    expect([...documented].filter((name) => !rows.has(name))).toEqual([]);
  });

  test('each property is looked at before it comes into a command line', () => {
    const [, check = ''] = /<_KubernetesLocalValues>([^<]*)/.exec(all) ?? [];
    const [, lists = ''] = /<_KubernetesLocalLists>([^<]*)/.exec(all) ?? [];
    const looked = new Set([...`${check}${lists}`.matchAll(/\$\((\w+)\)/g)].map(([, name]) => name));
    const used = [...all.matchAll(/"--[a-z-]+=\$\((\w+)\)"|Include="\$\((KubernetesLocal\w+)\)"/g)];
    expect(used.length).toBeGreaterThan(12);
    for (const [, option, list] of used) expect(looked).toContain(option ?? list);
  });

  test('each option is one of the command', () => {
    const known = [connectCommand(), runCommand(), disconnectCommand()].flatMap((command) =>
      command.options.map(({ long }) => long),
    );
    const used = [...all.matchAll(/[" ](--[a-z][a-z-]+)[= ]/g)].map(([, option]) => option);
    expect(used.length).toBeGreaterThan(15);
    // What mono is given.
    expect(used.filter((option) => !known.includes(option) && option !== '--debug')).toEqual([]);
  });

  test('what xbuild does not know stands only where it does not look', () => {
    for (const { name, attributes } of [...texts.values()].flatMap((text) => elements(readXml(text)))) {
      if (name !== 'Exec') continue;
      const old = attributes.Condition === "'$(_KubernetesLocalOldBuild)' == 'true'";
      const modern = ['EchoOff', 'StandardOutputImportance', 'StandardErrorImportance'];
      expect(Object.keys(attributes).filter((key) => old && modern.includes(key))).toEqual([]);
      expect(attributes.Condition).toBeDefined();
    }
  });
});
