/** What each file of launch-templates/ says: how the debug adapter is started, and what it is to launch. */
import { z } from 'zod';
import {
  type Element,
  type Expression,
  propertyList,
  readJson,
  readJsonc,
  readLisp,
  readLuaTable,
  readToml,
  readXml,
} from './formats.ts';

export interface Launch {
  /** The arguments of the `launch` request, as the user writes them. */
  readonly configuration: Record<string, unknown>;
  /** The command that starts the debug adapter; undefined if it does not stand in this file. */
  readonly command?: readonly string[];
}

export interface Template {
  /** How a comment begins; undefined if the format has none. */
  readonly mark?: string;
  /** Its launch configurations for our debug adapter. Throws at what its program would refuse. */
  launches(text: string): readonly Launch[];
  /** Command lines of ours that stand in it, beside those that start the debug adapter. */
  commands?(text: string): readonly (readonly string[])[];
  /** In a format without comments: the texts that are to be changed. The README names each. */
  readonly toChange?: readonly string[];
}

const object = z.record(z.string(), z.unknown());
const words = z.array(z.string());
const none = () => [];

const launchJson = z.strictObject({ version: z.literal('0.2.0'), configurations: z.array(object).min(1) });
const tasksJson = z.strictObject({ version: z.literal('2.0.0'), tasks: z.array(object).min(1) });
const sublimeProject = z.object({
  debugger_configurations: z.array(object.and(z.object({ name: z.string(), type: z.string(), request: z.string() }))),
  build_systems: z.array(z.object({ name: z.string(), cmd: words, working_dir: z.string() })).optional(),
});
const zedScenarios = z.array(object.and(z.object({ label: z.string(), adapter: z.string() })));
const zedTasks = z.array(z.strictObject({ label: z.string(), command: z.string(), args: words, cwd: z.string() }));
/** `DebugAdapterConfig` of Helix; an argument is a text, a list of them, true or false. */
const helixLanguages = z.strictObject({
  language: z.array(
    z.strictObject({
      name: z.string(),
      debugger: z.strictObject({
        name: z.string(),
        transport: z.literal('stdio'),
        command: z.string(),
        args: words,
        templates: z.array(
          z.strictObject({
            name: z.string(),
            request: z.enum(['launch', 'attach']),
            completion: words,
            args: z.record(z.string(), z.union([z.string(), words, z.boolean()])),
          }),
        ),
      }),
    }),
  ),
});
/** A user-defined debug adapter of LSP4IJ, as its loader reads it. */
const lsp4ijTemplate = z.strictObject({
  id: z.string(),
  name: z.string(),
  launch: z.strictObject({ default: z.string(), windows: z.string() }),
  debugServerReadyPattern: z.string(),
  fileTypeMappings: z.array(
    z.strictObject({
      fileType: z.strictObject({ name: z.string(), patterns: words }),
      languageId: z.string(),
    }),
  ),
});
const kateDap = z.strictObject({
  dap: z.record(
    z.string(),
    z.object({
      run: z.object({ command: words }),
      configurations: z.record(z.string(), z.object({ request: object })),
    }),
  ),
});

/** Those of type kubernetes-local. */
function ours(configurations: readonly Record<string, unknown>[]): Launch[] {
  return configurations.filter(({ type }) => type === 'kubernetes-local').map((configuration) => ({ configuration }));
}

/** The command lines among the values of a JSON document: a command of ours with its arguments. */
function ofTasks(tasks: readonly Record<string, unknown>[]): string[][] {
  return tasks
    .filter(({ command }) => command === 'kubernetes-local')
    .map(({ command, args }) => [z.string().parse(command), ...words.parse(args)]);
}

/** For which LSP4IJ puts a free port in. */
const chosenPort = /\$\{port\}/;

const dspKey = 'org.eclipse.lsp4e.debug.model.ATTR_DSP_';

/** The attributes of LSP4E in a launch configuration of Eclipse. */
function lsp4eLaunch(text: string): Launch {
  const root = readXml(text);
  if (root.name !== 'launchConfiguration' || root.attributes.type !== 'org.eclipse.lsp4e.debug.launchType')
    throw new Error('It is no launch configuration of the Debug Adapter Launcher.');
  const find = (kind: string, key: string): Element => {
    const found = root.children.find((one) => one.name === kind && one.attributes.key === dspKey + key);
    if (found === undefined) throw new Error(`There is no ${kind} ${key}.`);
    return found;
  };
  if (find('stringAttribute', 'MODE').attributes.value !== 'launch server') throw new Error('It starts no server.');
  const args = find('listAttribute', 'ARGS').children.map(({ attributes }) => attributes.value ?? '');
  const command = [find('stringAttribute', 'CMD').attributes.value ?? '', ...args];
  // Gson reads comments.
  return { configuration: object.parse(readJsonc(find('stringAttribute', 'PARAM').attributes.value ?? '')), command };
}

/** What `DebugAdapterHost.Launch` is given: how the debug adapter is started stands in keys of its own. */
function visualStudioLaunch(text: string): Launch {
  const configuration = object.parse(readJson(text));
  const args = z.string().parse(configuration.$adapterArgs);
  const [script = '', ...rest] = (args.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
  if (!script.endsWith('kubernetes-local.js')) throw new Error(`${script} is not our program.`);
  return { configuration, command: ['kubernetes-local', ...rest] };
}

/** The first expression that begins with these words, wherever it is nested. */
function findCall(expressions: readonly Expression[], name: string): readonly Expression[] | undefined {
  for (const one of expressions) {
    if (!Array.isArray(one)) continue;
    if (one[0] === name) return one;
    const inside = findCall(one, name);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** An entry of `dape-configs`: keys with a colon are the launch configuration, the others are for dape. */
function dapeLaunch(text: string): Launch {
  const [, variable, entry] = findCall(readLisp(text), 'add-to-list') ?? [];
  if (variable !== 'dape-configs' || !Array.isArray(entry)) throw new Error('It adds nothing to dape-configs.');
  const [, ...keys]: readonly Expression[] = entry;
  const value = (name: string) => keys[keys.indexOf(name) + 1];
  const textOf = (one: Expression | undefined) => z.object({ text: z.string() }).parse(one).text;
  const args = value('command-args');
  if (!Array.isArray(args) || !Array.isArray(value('modes'))) throw new Error('It has no modes or no command-args.');
  const first = keys.findIndex((key) => typeof key === 'string' && key.startsWith(':'));
  return {
    configuration: object.parse(propertyList(keys.slice(first))),
    command: [textOf(value('command')), ...args.map(textOf)],
  };
}

export const templates: Readonly<Record<string, Template>> = {
  'vscode/launch.json': {
    mark: '//',
    launches: (text) => {
      const { configurations } = launchJson.parse(readJsonc(text));
      const launches = ours(configurations);
      if (launches.length !== configurations.length) throw new Error('One is not of our type.');
      return launches;
    },
  },
  'vscode/with-tasks/launch.json': {
    mark: '//',
    launches: (text) => ours(launchJson.parse(readJsonc(text)).configurations),
  },
  'vscode/with-tasks/tasks.json': {
    mark: '//',
    // What the task connects to is written as in a launch configuration; the rest is for VS Code.
    launches: (text) =>
      tasksJson.parse(readJsonc(text)).tasks.map((task) => {
        const { label: _label, action, isBackground: _background, problemMatcher, ...configuration } = task;
        if (action !== 'connect' || problemMatcher !== '$kubernetes-local')
          throw new Error('It is no task to connect.');
        return { configuration };
      }),
  },
  'vscode/without-extension/launch.json': {
    mark: '//',
    launches: (text) => ours(launchJson.parse(readJsonc(text)).configurations),
  },
  'vscode/without-extension/tasks.json': {
    mark: '//',
    launches: none,
    commands: (text) => ofTasks(tasksJson.parse(readJsonc(text)).tasks),
  },
  'neovim/kubernetes-local.lua': {
    mark: '--',
    launches: (text) =>
      z
        .array(object)
        .parse(readLuaTable(text, 'configurations'))
        .map((configuration) => ({ configuration })),
  },
  'helix/languages.toml': {
    mark: '#',
    launches: (text) =>
      helixLanguages
        .parse(readToml(text))
        .language.flatMap(({ debugger: { command, args, templates } }) =>
          templates.map((template) => ({ configuration: template.args, command: [command, ...args] })),
        ),
  },
  'sublime/kubernetes-local.sublime-project': {
    mark: '//',
    launches: (text) => ours(sublimeProject.parse(readJsonc(text)).debugger_configurations),
  },
  'sublime/without-plugin/kubernetes-local.sublime-project': {
    mark: '//',
    launches: (text) => ours(sublimeProject.parse(readJsonc(text)).debugger_configurations),
    commands: (text) => (sublimeProject.parse(readJsonc(text)).build_systems ?? []).map(({ cmd }) => cmd),
  },
  'zed/debug.json': {
    mark: '//',
    launches: (text) =>
      zedScenarios.parse(readJsonc(text)).map(({ label: _label, adapter, ...configuration }) => {
        if (adapter !== 'kubernetes-local') throw new Error(`${adapter} is not ours.`);
        return { configuration };
      }),
  },
  'zed/without-extension/debug.json': {
    mark: '//',
    launches: (text) => {
      const foreign = zedScenarios.parse(readJsonc(text)).every(({ adapter }) => adapter === 'Debugpy');
      if (!foreign) throw new Error('It needs an extension.');
      return [];
    },
  },
  'zed/without-extension/tasks.json': {
    mark: '//',
    launches: none,
    commands: (text) => ofTasks(zedTasks.parse(readJsonc(text))),
  },
  'eclipse/kubernetes-local.launch': { mark: '<!--|/\\*', launches: (text) => [lsp4eLaunch(text)] },
  'intellij/template.json': {
    launches: (text) => {
      lsp4ijTemplate.parse(readJson(text));
      return [];
    },
    commands: (text) =>
      Object.values(lsp4ijTemplate.parse(readJson(text)).launch).map((line) =>
        line.replace(chosenPort, '4711').replace('.cmd', '').split(' '),
      ),
    toChange: ['--delegate debugpy'],
  },
  'intellij/launch.json': {
    launches: (text) => [{ configuration: object.parse(readJson(text)) }],
    toChange: ['"target": "service/cart"', '"type": "debugpy"'],
  },
  'visual-studio/kubernetes-local.launch.json': {
    launches: (text) => [visualStudioLaunch(text)],
    toChange: ['service/cart', 'debugpy', 'main.py'],
  },
  'kate/dap.json': {
    launches: (text) =>
      Object.values(kateDap.parse(readJson(text)).dap).flatMap(({ run: { command }, configurations }) =>
        Object.values(configurations).map(({ request }) => ({ configuration: request, command })),
      ),
    toChange: ['"service/cart"', '"shop"', '"dev"', '"/home/user/cart/main.py"', '"/home/user/cart"', '"debugpy"'],
  },
  'emacs/kubernetes-local-dap-mode.el': {
    mark: ';',
    launches: (text) => {
      const [, , list] = findCall(readLisp(text), 'dap-register-debug-template') ?? [];
      return [{ configuration: object.parse(propertyList(list ?? '')) }];
    },
  },
  'emacs/kubernetes-local-dape.el': { mark: ';', launches: (text) => [dapeLaunch(text)] },
};

/** LSP4IJ starts it at a port that it chooses. */
export function lsp4ijCommand(text: string, port: number): string[] {
  return lsp4ijTemplate.parse(readJson(text)).launch.default.replace(chosenPort, String(port)).split(' ');
}
