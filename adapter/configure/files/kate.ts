/** Kate: one file of debug adapters and their configurations, which its settings name. */
import { join } from 'node:path';
import { parseLaunchConfiguration } from '../../launch/configuration.ts';
import type {
  Dialect,
  Draft,
  EditorFiles,
  ExistingConfiguration,
  Outcome,
  OwnConfiguration,
  Settings,
} from '../draft.ts';
import { launchConfiguration } from '../launch-configuration.ts';
import { JsoncText } from './jsonc.ts';
import { changedKeys, isObject, readOwn } from './listed.ts';
import { delegateType } from './own-json.ts';
import { readTextFile, type TextFile, writeTextFile } from './text-file.ts';

interface KateConfiguration {
  readonly adapter: string;
  readonly name: string;
  /** What the launch request takes; `command` is the request. */
  readonly request: Settings;
}

export class KateFiles implements EditorFiles {
  readonly existing: readonly ExistingConfiguration[];
  readonly own: readonly OwnConfiguration[];
  readonly dialect: Dialect;
  readonly #file: TextFile;
  readonly #configurations: readonly KateConfiguration[];

  /** Problem bad-value if the file is no JSON any more. */
  constructor(folder: string, existing: (dialect: Dialect) => readonly ExistingConfiguration[]) {
    this.dialect = { variables: { '${workspaceFolder}': folder }, terminal: false, tasks: false };
    this.#file = readTextFile(join(folder, '.kubernetes-local', 'kate-dap.json'));
    this.#configurations = configurationsIn(new JsoncText(this.#file.text ?? '', this.#file.path));
    this.own = this.#configurations.flatMap(({ name, request }) => readOwn(name, request) ?? []);
    this.existing = existing(this.dialect);
  }

  async write(draft: Draft): Promise<Outcome> {
    const { path, text = '' } = this.#file;
    const before = this.#configurations.find(({ name }) => name === draft.replaces);
    const configuration = before === undefined ? launchConfiguration(draft) : this.#replacing(before, draft);
    const { name: _, request: command, ...rest } = configuration;
    const type = delegateType(configuration);
    // Kate knows the command that starts a debug adapter before the configuration: each real debugger needs one.
    const adapter = before !== undefined && draft.program === undefined ? before.adapter : `kubernetes-local ${type}`;
    const json = new JsoncText(before === undefined || before.adapter === adapter ? text : this.#without(before), path);
    const at = ['dap', adapter, 'configurations'];
    const entry = { request: { command, ...rest } };
    const run = { command: ['kubernetes-local', 'dap', '--delegate', type], redirectStderr: true };
    const whole = { run, configurations: { [draft.name]: entry } };
    const after = json.isEmpty
      ? json.fill({ dap: { [adapter]: whole } })
      : json.value(['dap']) === undefined
        ? json.append([], 'dap', { [adapter]: whole })
        : json.value(at) === undefined
          ? json.append(['dap'], adapter, whole)
          : json.value([...at, draft.name]) === undefined
            ? json.append(at, draft.name, entry)
            : json.replace([...at, draft.name], entry);
    return {
      configuration,
      written: [await writeTextFile(this.#file, after)],
      advice: [
        `Name ${path} in Settings > Configure Kate > Debugger; Kate 22.12 reads ~/.config/kate/gdbplugin/dap.json instead.`,
        'Then set a breakpoint, choose the configuration in the Debug view, and start.',
      ],
    };
  }

  /** The text without a configuration, which goes to another debug adapter. */
  #without({ adapter, name }: KateConfiguration): string {
    const json = new JsoncText(this.#file.text ?? '', this.#file.path);
    const at = ['dap', adapter, 'configurations'];
    const others = entriesOf(json.value(at)).filter(([each]) => each !== name);
    return json.replace(at, Object.fromEntries(others));
  }

  #replacing({ request: { command, ...settings }, name }: KateConfiguration, draft: Draft): Record<string, unknown> {
    const { kept, set } = changedKeys(settings, draft);
    const configuration = { type: 'kubernetes-local', request: command, name, ...kept, ...set };
    parseLaunchConfiguration(configuration, this.#file.path);
    return configuration;
  }
}

function configurationsIn(json: JsoncText): readonly KateConfiguration[] {
  return entriesOf(json.value(['dap'])).flatMap(([adapter, settings]) =>
    entriesOf(isObject(settings) ? settings.configurations : undefined).flatMap(([name, configuration]) => {
      const request = isObject(configuration) ? configuration.request : undefined;
      return isObject(request) ? [{ adapter, name, request }] : [];
    }),
  );
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}
