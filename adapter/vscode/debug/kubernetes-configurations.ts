/** Configurations of our own type: completed, checked, or turned into one of the debugger that VS Code has. */
import { randomUUID } from 'node:crypto';
import type * as vscode from 'vscode';
import { z } from 'zod';
import { folderPath } from '../folders.ts';
import { markerKey } from '../identifiers.ts';
import { initialConfigurations } from '../manifest/snippets.ts';
import { settings, withSettings } from '../settings.ts';
import { bundledDebugpy, editorDebugTypes, selectedPython } from './editor-debuggers.ts';
import type { Marker } from './marker.ts';
import { nameOfWritten, ofTheEditor, ownWayKey } from './own-way.ts';
import { routeOf } from './route.ts';

const configurationSchema = z.looseObject({ type: z.string(), name: z.string(), request: z.string() });
const delegateSchema = z.looseObject({ type: z.string(), request: z.string().optional() });
const python: ReadonlySet<string> = new Set(['python', 'debugpy']);

type Resolved = vscode.DebugConfiguration | undefined;

export interface KubernetesConfigurationsOptions {
  /** The one-time prompt: asks for a Service, and writes and returns the configuration. Problem cancelled. */
  configure(folder: vscode.WorkspaceFolder | undefined): Promise<Readonly<Record<string, unknown>>>;
  /** Shows the user why debugging does not start. */
  fail(error: unknown, configuration: vscode.DebugConfiguration): undefined;
}

export class KubernetesConfigurations implements vscode.DebugConfigurationProvider {
  readonly #options: KubernetesConfigurationsOptions;
  readonly #ownWays = new Set<string>();

  constructor(options: KubernetesConfigurationsOptions) {
    this.#options = options;
  }

  /** The configuration of this name needs our own debug adapter, now and when it is started again. */
  needsOwnWay(written: string): void {
    this.#ownWays.add(written);
  }

  provideDebugConfigurations(): vscode.DebugConfiguration[] {
    return initialConfigurations.map((each) => ({ ...each }));
  }

  /** Before variables are filled in: only what is no variable can be looked at. */
  async resolveDebugConfiguration(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<Resolved> {
    // A child session of our debug adapter has all that it needs.
    if (markerKey in configuration) return configuration;
    if (configuration.target === undefined && configuration.delegate === undefined) {
      return this.#configure(folder, configuration);
    }
    const delegate = delegateSchema.safeParse(configuration.delegate).data;
    // What is wrong with it is said when all variables are filled in.
    if (delegate === undefined) return configuration;
    const complete = withSettings(configuration);
    const written = nameOfWritten(folderPath(folder), configuration);
    const route = routeOf({
      type: delegate.type,
      hasDebugAdapter: configuration.debugAdapter !== undefined,
      choice: configuration[ownWayKey] === true || this.#ownWays.has(written) ? 'own' : settings.debugger(),
      inEditor: editorDebugTypes(),
    });
    if (route.way === 'own') return complete;
    const marker: Marker = {
      step: 'connect',
      id: randomUUID(),
      written,
      configuration: complete,
      ...(isObject(delegate.env) && { env: delegate.env }),
      envFile: delegate.envFile,
    };
    return {
      ...ofTheEditor(configuration),
      ...delegate,
      type: route.type,
      request: delegate.request ?? 'launch',
      name: configuration.name,
      [markerKey]: marker,
    };
  }

  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<Resolved> {
    if (markerKey in configuration) return configuration;
    try {
      const { delegateOf, parseLaunchConfiguration } = await import('../../launch/configuration.ts');
      const delegate = delegateOf(parseLaunchConfiguration(configuration, 'The launch configuration'));
      return python.has(delegate.type) ? await withPython(folder, configuration) : configuration;
    } catch (error) {
      return this.#options.fail(error, configuration);
    }
  }

  /** F5 without a configuration. */
  async #configure(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<Resolved> {
    try {
      const made = configurationSchema.parse(await this.#options.configure(folder));
      return await this.resolveDebugConfiguration(folder, made);
    } catch (error) {
      return this.#options.fail(error, configuration);
    }
  }
}

/** With the interpreter that is selected in VS Code, and the debugpy that comes with its debugger for Python. */
async function withPython(
  folder: vscode.WorkspaceFolder | undefined,
  configuration: vscode.DebugConfiguration,
): Promise<vscode.DebugConfiguration> {
  const delegate = delegateSchema.parse(configuration.delegate);
  if (delegate.request === 'attach') return configuration;
  const named: unknown = Array.isArray(delegate.python) ? delegate.python[0] : delegate.python;
  const selected = typeof named === 'string' && named !== '' ? named : await selectedPython(folder?.uri);
  const debugpy = bundledDebugpy();
  return {
    ...configuration,
    delegate: { ...(selected !== undefined && { python: selected }), ...delegate },
    ...(selected !== undefined &&
      debugpy !== undefined &&
      configuration.debugAdapter === undefined && { debugAdapter: { command: [selected, debugpy] } }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
