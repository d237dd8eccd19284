import { describe, expect, it } from 'vitest';
import packageFile from '../../../package.json' with { type: 'json' };
import { knownTypes } from '../../debuggers/registry.ts';
import { parseLaunchConfiguration } from '../../launch/configuration.ts';
import schema from '../../launch/launch.schema.json' with { type: 'json' };
import { commands, sessionsView } from '../identifiers.ts';
import { extensionManifest } from './manifest.ts';

const manifest = extensionManifest();
const { contributes } = manifest;
const [contributed] = contributes.debuggers;
if (contributed === undefined) throw new Error('there is no debugger');

/** What is left of a snippet when the user accepts all that it proposes. */
function accepted(body: unknown): unknown {
  const text = JSON.stringify(body)
    .replace(/\$\{\d+:([^}]*)\}/g, '$1')
    .replaceAll('\\\\${', '${');
  return JSON.parse(text);
}

describe('the manifest', () => {
  it('has name, version and licence of this project, and is VS Code’s from the version of its types on', () => {
    expect(manifest).toMatchObject({
      name: packageFile.name,
      version: packageFile.version,
      license: packageFile.license,
    });
    expect(manifest.engines.vscode).toBe(`^${packageFile.devDependencies['@types/vscode']}`);
    expect(`${manifest.publisher}.${manifest.name}`).toBe('kubernetes-local.kubernetes-local');
  });

  it('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
  });

  it('starts with the window, our type, without a launch.json, and with any debugging, for tasks may have connected before it', () => {
    expect(manifest.activationEvents).toEqual([
      'onStartupFinished',
      'onDebugResolve:kubernetes-local',
      'onDebugInitialConfigurations',
      'onDebugDynamicConfigurations:kubernetes-local',
      'onDebug',
    ]);
  });
});

describe('the debugger', () => {
  it.each(['launch', 'attach'] as const)('%s has each key of the schema that is for users, described', (request) => {
    const attributes = contributed.configurationAttributes[request];
    const forUsers = Object.entries(schema.properties)
      .filter(([key, property]) => !('doNotSuggest' in property) && !['type', 'request', 'name'].includes(key))
      .map(([key]) => key);
    expect(Object.keys(attributes.properties)).toEqual(forUsers);
    for (const property of Object.values(attributes.properties)) expect(property).toHaveProperty('description');
    expect(attributes.required).toEqual(['target', 'delegate']);
  });

  it('has a snippet for each language, which is valid as it is proposed', () => {
    const types = contributed.configurationSnippets.map(({ label, description, body }) => {
      expect(label).toMatch(/^Kubernetes Local: /);
      expect(description).not.toBe('');
      const { delegate } = parseLaunchConfiguration(accepted(body), label);
      return delegate?.type ?? '';
    });
    expect(types).toEqual(['debugpy', 'node', 'go', 'lldb-dap', 'rdbg', 'coreclr']);
    expect(types.filter((type) => !knownTypes().includes(type))).toEqual([]);
  });

  it('proposes folders of the workspace as variables, not as text', () => {
    const [python] = contributed.configurationSnippets;
    expect(accepted(python?.body)).toMatchObject({
      name: 'cart in the cluster',
      target: 'service/cart',
      delegate: { program: `\${workspaceFolder}/main.py`, cwd: `\${workspaceFolder}` },
    });
  });

  it('begins a launch.json with a valid configuration', () => {
    expect(contributed.initialConfigurations).not.toEqual([]);
    for (const each of contributed.initialConfigurations) parseLaunchConfiguration(each, 'the initial configuration');
  });

  it('lets breakpoints be set in all languages, and offers F5 in those for which VS Code has no debugger itself', () => {
    const withBreakpoints: readonly string[] = contributes.breakpoints.map(({ language }) => language);
    expect(withBreakpoints).toEqual(expect.arrayContaining([...contributed.languages, 'javascript', 'typescript']));
    expect(contributed.languages).toContain('python');
    expect(contributed.languages).not.toContain('javascript');
  });
});

describe('commands', () => {
  it('are all there, with a title and our category', () => {
    expect(contributes.commands.map(({ command }) => command).toSorted()).toEqual(Object.values(commands).toSorted());
    for (const { title, category } of contributes.commands) {
      expect(title).not.toBe('');
      expect(category).toBe('Kubernetes Local');
    }
  });

  it('are in no menu that VS Code would show without them', () => {
    const known = new Set(contributes.commands.map(({ command }) => command));
    const used = Object.values(contributes.menus).flatMap((menu) => menu.map(({ command }) => command));
    expect(used.filter((command) => !known.has(command as (typeof contributes.commands)[number]['command']))).toEqual(
      [],
    );
  });

  it('that need to be told what of are not in the palette', () => {
    const hidden = contributes.menus.commandPalette
      .filter(({ when }) => when === 'false')
      .map(({ command }) => command);
    expect(hidden).toEqual([commands.remedy, commands.copyValue, commands.revealSecret]);
  });

  it('behind the buttons of the empty view exist', () => {
    const links = contributes.viewsWelcome.flatMap(({ contents }) => [...contents.matchAll(/\(command:([^)]+)\)/g)]);
    const ours = links.map(([, id = '']) => id).filter((id) => id.startsWith('kubernetes-local.'));
    expect(ours.length).toBeGreaterThan(0);
    const known: readonly string[] = Object.values(commands);
    expect(ours.filter((id) => !known.includes(id))).toEqual([]);
  });
});

it('the view is in the side bar of debugging', () => {
  expect(contributes.views.debug).toMatchObject([{ id: sessionsView, name: 'Kubernetes Local' }]);
});

describe('tasks', () => {
  it('take the keys of a launch configuration, without those of its debugger', () => {
    const [definition] = contributes.taskDefinitions;
    const keys = Object.keys(definition?.properties ?? {});
    expect(keys).toEqual(expect.arrayContaining(['action', 'target', 'namespace', 'context', 'ports', 'network']));
    expect(keys).not.toContain('delegate');
    const rest = keys.filter((key) => key !== 'action' && !(key in schema.properties));
    expect(rest).toEqual([]);
  });

  it('are ready, or have failed, as the command line and the terminal of a task say', () => {
    const [matcher] = contributes.problemMatchers;
    const background = matcher?.background;
    const isOver = new RegExp(background?.endsPattern ?? '');
    expect('Connecting to service/cart …').toMatch(new RegExp(background?.beginsPattern ?? ''));
    expect('Ready. Press Ctrl-C to undo everything.').toMatch(isOver);
    // VS Code looks for no problem in a line that says so.
    expect('error (target-missing): There is no Service "cart".').not.toMatch(isOver);
    expect('Connected: Deployment cart, container cart.').not.toMatch(isOver);
    expect(new RegExp(matcher?.pattern.regexp ?? '').exec('error (target-missing): There is none.')?.slice(1)).toEqual([
      'target-missing',
      'There is none.',
    ]);
  });
});

it('settings have a default and a description', () => {
  const { properties } = contributes.configuration;
  expect(Object.keys(properties).toSorted()).toEqual(
    ['agentImage', 'debugger', 'disconnectAfterDebugging', 'keepSeconds', 'kubeconfig', 'node'].map(
      (name) => `kubernetes-local.${name}`,
    ),
  );
  for (const property of Object.values(properties)) {
    expect(property).toHaveProperty('default');
    expect('description' in property || 'markdownDescription' in property).toBe(true);
  }
});
