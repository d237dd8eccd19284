/** .vscode/launch.json, and for the task hook .vscode/tasks.json. */
import { join } from 'node:path';
import { parseLaunchConfiguration } from '../../launch/configuration.ts';
import { isProgram } from '../delegate.ts';
import type {
  Dialect,
  Draft,
  EditorFiles,
  ExistingConfiguration,
  Outcome,
  OwnConfiguration,
  Settings,
} from '../draft.ts';
import { JsoncText } from './jsonc.ts';
import { itemsOf, ListedFiles, readOwn, withFirst, withKeys } from './listed.ts';
import { readTextFile, type TextFile, writeTextFile } from './text-file.ts';

const vscodeDialect: Dialect = { variables: 'all', terminal: true, tasks: true };

const launchFrame = { version: '0.2.0' };

function openLaunchFile(folder: string): EditorFiles {
  return new ListedFiles({
    path: launchPath(folder),
    at: ['configurations'],
    frame: launchFrame,
    nameKey: 'name',
    typeKey: 'type',
    dialect: vscodeDialect,
    existing: programs,
    advice: ['Set a breakpoint in your program and press F5.'],
  });
}

/** The launch configurations of VS Code in this folder, for other editors; none if there is no such file or it is not valid. */
export function launchConfigurationsIn(folder: string): readonly ExistingConfiguration[] {
  const path = launchPath(folder);
  try {
    return programs(itemsOf(new JsoncText(readTextFile(path).text ?? '', path), path, ['configurations']));
  } catch {
    // Another editor's file: it is not for this program to complain about.
    return [];
  }
}

function launchPath(folder: string): string {
  return join(folder, '.vscode', 'launch.json');
}

function programs(items: readonly Settings[]): readonly ExistingConfiguration[] {
  return items.flatMap((item) =>
    isProgram(item) && typeof item.name === 'string' ? [{ name: item.name, settings: item }] : [],
  );
}

const taskType = 'kubernetes-local';
const connectLabel = (name: string) => `${name}: connect`;

/** A task that connects, and a launch configuration of the real type that runs it first. */
class TaskFiles implements EditorFiles {
  readonly existing: readonly ExistingConfiguration[];
  readonly own: readonly OwnConfiguration[];
  readonly dialect = vscodeDialect;
  readonly #launch: TextFile;
  readonly #tasks: TextFile;
  readonly #taskItems: readonly Settings[];
  readonly #launchItems: readonly Settings[];

  /** Problem bad-value if one of the files is not as it should be. */
  constructor(folder: string) {
    this.#launch = readTextFile(launchPath(folder));
    this.#tasks = readTextFile(join(folder, '.vscode', 'tasks.json'));
    const read = ({ path, text = '' }: TextFile, key: string) => itemsOf(new JsoncText(text, path), path, [key]);
    this.#launchItems = read(this.#launch, 'configurations');
    this.#taskItems = read(this.#tasks, 'tasks');
    this.own = this.#launchItems.flatMap((item) => {
      const own = readOwn(item.name, this.#connectTaskOf(item));
      return own === undefined ? [] : [{ ...own, debugger: String(item.type) }];
    });
    const own = new Set(this.own.map(({ name }) => name));
    this.existing = programs(this.#launchItems).filter(({ name }) => !own.has(name));
  }

  async write(draft: Draft): Promise<Outcome> {
    const { name, place, program, replaces } = draft;
    const started = this.#launchItems.findIndex((item) => item.name === replaces && replaces !== undefined);
    const before = this.#launchItems[started];
    const connecting = before && this.#connectTaskOf(before);
    const known = connecting === undefined ? -1 : this.#taskItems.indexOf(connecting);
    const label = connecting === undefined ? this.#freeLabel(place.target) : String(connecting.label);
    const task = { label, type: taskType, action: 'connect', ...place };
    parseLaunchConfiguration({ type: taskType, ...place }, 'the new task');
    // A task of the user's that runs before comes first, through a task that does nothing but wait for both.
    const other = program?.beside.preLaunchTask;
    const both = typeof other === 'string' && other !== label ? `${label}, after ${other}` : undefined;
    const configuration: Record<string, unknown> =
      program === undefined
        ? { ...before }
        : { ...program.delegate, ...program.beside, name, preLaunchTask: both ?? label };

    const tasks = this.#tasks.text ?? '';
    const { path } = this.#tasks;
    let newTasks =
      known < 0
        ? withFirst(
            new JsoncText(tasks, path),
            ['tasks'],
            { version: '2.0.0' },
            {
              ...task,
              isBackground: true,
              problemMatcher: '$kubernetes-local',
            },
          )
        : withKeys(tasks, path, ['tasks', known], place);
    if (both !== undefined && !this.#taskItems.some((each) => each.label === both)) {
      const compound = { label: both, dependsOn: [other, label], dependsOrder: 'sequence' };
      newTasks = withFirst(new JsoncText(newTasks, path), ['tasks'], {}, compound);
    }
    const launch = this.#launch.text ?? '';
    const newLaunch =
      program === undefined
        ? launch
        : before === undefined
          ? withFirst(new JsoncText(launch, this.#launch.path), ['configurations'], launchFrame, configuration)
          : new JsoncText(launch, this.#launch.path).replace(['configurations', started], configuration);
    const written = [await writeTextFile(this.#tasks, newTasks)];
    if (newLaunch !== launch) written.push(await writeTextFile(this.#launch, newLaunch));
    return { configuration, written, advice: ['Set a breakpoint in your program and press F5.'] };
  }

  /** The task of ours that runs before this launch configuration, itself or by way of one that waits for several. */
  #connectTaskOf({ preLaunchTask }: Settings): Settings | undefined {
    const task = this.#taskItems.find(({ label }) => label === preLaunchTask);
    if (task === undefined || isConnectTask(task)) return task;
    const waitsFor = [task.dependsOn].flat();
    return this.#taskItems.find((each) => isConnectTask(each) && waitsFor.includes(each.label));
  }

  #freeLabel(target: string): string {
    const wanted = target.split('/').at(-1) ?? target;
    const taken = new Set(this.#taskItems.map(({ label }) => label));
    for (let number = 1; ; number++) {
      const label = connectLabel(number === 1 ? wanted : `${wanted} ${number}`);
      if (!taken.has(label)) return label;
    }
  }
}

function isConnectTask(task: Settings): boolean {
  return task.type === taskType && task.action !== 'disconnect';
}

/** Kept here, so that what is written without the hook and with it comes from one place. */
export function openVscodeFiles(folder: string, hook: 'adapter' | 'task'): EditorFiles {
  return hook === 'task' ? new TaskFiles(folder) : openLaunchFile(folder);
}
