/**
 * Configurations of all other debuggers: those that were ours and are turned into theirs, and those with a task of ours
 * before them. They get the program's variables when VS Code has filled in all variables and run the tasks.
 */
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import type { Redactor } from '../../diagnostics/redactor.ts';
import type { LaunchConfiguration } from '../../launch/configuration.ts';
import { Problem } from '../../problem.ts';
import type { Connections } from '../connections/connections.ts';
import type { HeldConnection } from '../connections/state.ts';
import { folderPath } from '../folders.ts';
import { debugType, markerKey } from '../identifiers.ts';
import { signalOf } from '../signals.ts';
import type { TaskConnections } from '../tasks/task-connections.ts';
import { tasksBefore } from '../tasks/tasks-before.ts';
import { isOfChild, type Marker, type MarkerOf, markerOf } from './marker.ts';
import { ownWayKey } from './own-way.ts';
import { placed } from './program-place.ts';
import { type Written, withProgramVariables } from './program-variables.ts';

type Configuration = vscode.DebugConfiguration;

export interface SurroundedOptions {
  readonly connections: Connections;
  readonly tasks: TaskConnections;
  readonly redactor: Redactor;
  /** Shows the user why debugging does not start. */
  fail(error: unknown, configuration: Configuration): undefined;
  /** A session with this id is about to start and uses these connections as `holderOf(id)`. */
  expect(id: string, keys: readonly string[]): void;
  warn(text: string): void;
  /** The configuration of this name needs our own debug adapter from now on. */
  needsOwnWay(written: string): void;
  /** Asks whether to debug though these tasks have not connected. */
  goesOnWithout(tasks: readonly string[]): Promise<boolean>;
}

/** Who holds the connections of a debug session. */
export function holderOf(id: string): string {
  return `debug:${id}`;
}

/** Whether a holder is a debug session. */
export function isDebugHolder(holder: string): boolean {
  return holder.startsWith('debug:');
}

export class SurroundedConfigurations implements vscode.DebugConfigurationProvider {
  readonly #options: SurroundedOptions;

  constructor(options: SurroundedOptions) {
    this.#options = options;
  }

  /** Runs again for each type that a configuration passes through. */
  resolveDebugConfiguration(folder: vscode.WorkspaceFolder | undefined, configuration: Configuration): Configuration {
    if (configuration.type === debugType || isOfChild(configuration) || markerKey in configuration)
      return configuration;
    const tasks = tasksBefore(configuration.preLaunchTask, folder);
    if (tasks.length === 0) return configuration;
    const marker: Marker = {
      step: 'tasks',
      id: randomUUID(),
      tasks: [...tasks],
      env: configuration.env,
      envFile: configuration.envFile,
    };
    return { ...configuration, [markerKey]: marker };
  }

  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: Configuration,
    token?: vscode.CancellationToken,
  ): Promise<Configuration | undefined> {
    if (configuration.type === debugType || isOfChild(configuration)) return configuration;
    const marker = markerOf(configuration);
    if (marker === undefined || marker.step === 'ready') return configuration;
    const problemOf = marker.step === 'connect' ? { ...configuration, ...marker.configuration } : configuration;
    try {
      if (marker.step === 'tasks') return await this.#afterTasks(folder, configuration, marker);
      using cancelled = signalOf(token);
      return await this.#connect(folder, configuration, marker, cancelled.signal);
    } catch (error) {
      return this.#options.fail(error, problemOf);
    }
  }

  async #connect(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: Configuration,
    marker: MarkerOf<'connect'>,
    signal: AbortSignal,
  ): Promise<Configuration | undefined> {
    const { connections } = this.#options;
    const { parseLaunchConfiguration } = await import('../../launch/configuration.ts');
    const ours = parseLaunchConfiguration(marker.configuration, 'The launch configuration');
    const holder = holderOf(marker.id);
    const isAttach = configuration.request === 'attach';
    const options = { folder: folderPath(folder), startsProgram: !isAttach, holder };
    const held = await connections.connect(ours, options, signal);
    try {
      if (isAttach) return this.#ready(configuration, marker.id, [held], describe([held]));
      const place = held.connection.network.place;
      const start = place === undefined ? undefined : placed(configuration, place);
      if (start?.kind === 'redirect') {
        void connections.release(held.key, holder, redirectMilliseconds);
        this.#options.needsOwnWay(marker.written);
        this.#startOurOwn(folder, marker.configuration);
        return undefined;
      }
      const chosen = { ...configuration, ...start?.configuration };
      return await this.#withVariables(chosen, marker, [{ held, ours, folder: options.folder }]);
    } catch (error) {
      void connections.release(held.key, holder, redirectMilliseconds);
      throw error;
    }
  }

  /** After VS Code has given this start up. The tasks before it have run. */
  #startOurOwn(folder: vscode.WorkspaceFolder | undefined, ours: Readonly<Record<string, unknown>>): void {
    const { preLaunchTask: _done, ...rest } = ours;
    const name = typeof ours.name === 'string' ? ours.name : debugType;
    const configuration = { ...rest, type: debugType, request: 'launch', name, [ownWayKey]: true };
    setImmediate(() => {
      vscode.debug.startDebugging(folder, configuration).then(undefined, (error: unknown) => {
        this.#options.fail(error, configuration);
      });
    });
  }

  async #afterTasks(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: Configuration,
    marker: MarkerOf<'tasks'>,
  ): Promise<Configuration | undefined> {
    const standing = marker.tasks.flatMap((name) => this.#options.tasks.standing(name) ?? []);
    const missing = marker.tasks.filter((name) => this.#options.tasks.standing(name) === undefined);
    // VS Code asks if the task itself has failed, but not if that is one on which it depends.
    const isAsked = missing.length === 0 || missing.includes(configuration.preLaunchTask);
    if (!isAsked && !(await this.#options.goesOnWithout(missing))) return undefined;
    if (missing.length > 0) {
      this.#options.warn(`Not connected: ${missing.join(', ')}. The program gets no variables from there.`);
    }
    if (standing.length === 0) return { ...configuration, [markerKey]: undefined };
    const path = folderPath(folder);
    const uses = standing.map(({ held, configuration: ours }) => ({ held, ours, folder: path }));
    if (configuration.request === 'attach') {
      return this.#ready(
        configuration,
        marker.id,
        standing.map(({ held }) => held),
        describe(standing.map(({ held }) => held)),
      );
    }
    const place = standing.map(({ held }) => held.connection.network.place).find((each) => each !== undefined);
    const start = place === undefined ? undefined : placed(configuration, place);
    if (start?.kind === 'redirect') throw onlyOutside(configuration.type);
    return await this.#withVariables({ ...configuration, ...start?.configuration }, marker, uses);
  }

  async #withVariables(
    configuration: Configuration,
    marker: MarkerOf<'connect' | 'tasks'>,
    uses: readonly Use[],
  ): Promise<Configuration> {
    const { connections, redactor } = this.#options;
    const notes: string[] = [];
    const written: Written = { env: marker.env, envFile: marker.envFile };
    let merged: Readonly<Record<string, unknown>> = configuration;
    let count = 0;
    for (const { held, ours, folder } of uses) {
      const { choice } = await connections.requestFor(ours, { folder, startsProgram: true });
      const step = withProgramVariables(merged, written, held.connection, choice);
      for (const secret of step.secrets) redactor.add(secret);
      notes.push(...step.notes);
      merged = step.configuration;
      count += step.count;
    }
    const helds = uses.map(({ held }) => held);
    const complete = { ...configuration, ...merged };
    return this.#ready(
      complete,
      marker.id,
      helds,
      [`${describe(helds)} ${count} variables come from the cluster.`, ...notes].join('\n'),
    );
  }

  #ready(configuration: Configuration, id: string, helds: readonly HeldConnection[], note: string): Configuration {
    const keys = helds.map(({ key }) => key);
    for (const key of keys) this.#options.connections.hold(key, holderOf(id));
    this.#options.expect(id, keys);
    const marker: Marker = { step: 'ready', id, keys, note };
    return { ...configuration, [markerKey]: marker };
  }
}

interface Use {
  readonly held: HeldConnection;
  readonly ours: LaunchConfiguration;
  readonly folder: string;
}

/** Long enough for VS Code to give up one start and begin the next. */
const redirectMilliseconds = 15_000;

function describe(helds: readonly HeldConnection[]): string {
  return helds
    .map(({ connection }) => {
      const ports = connection.ports.map(({ containerPort, localPort }) => `${containerPort} → 127.0.0.1:${localPort}`);
      return `Connected to ${connection.workload}: port ${ports.join(', ')}; network mode ${connection.network.mode}.`;
    })
    .join(' ');
}

function onlyOutside(type: string): Problem {
  return new Problem({
    code: 'namespace-unavailable',
    what: `VS Code's debugger "${type}" does not reach a program in a private network.`,
    why: 'The task connected in network mode "namespace".',
    remedy:
      'Set "network" of the task to "hosts" or "env"; or use a launch configuration of type kubernetes-local, without the task.',
  });
}
