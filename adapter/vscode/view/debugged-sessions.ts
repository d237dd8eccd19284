/** The debug sessions of this window, by the key of the session that they use. */
import * as vscode from 'vscode';
import { z } from 'zod';
import type { Connections } from '../connections/connections.ts';
import { markerOf } from '../debug/marker.ts';
import { folderPath } from '../folders.ts';
import { debugType, markerKey } from '../identifiers.ts';

/** After these the cluster's side may have changed: the start is over, the program has ended. */
const turningPoints: ReadonlySet<string> = new Set([
  'initialized',
  'process',
  'progressStart',
  'progressEnd',
  'terminated',
]);
const messageSchema = z.object({ event: z.string().optional(), command: z.string().optional() });

export class DebuggedSessions implements vscode.Disposable {
  readonly #connections: Connections;
  /** Through our own debug adapter, which connects by itself. */
  readonly #sessions = new Map<string, Set<vscode.DebugSession>>();
  /** Of other debuggers, around whose program the extension has connected. */
  readonly #surrounded = new Set<vscode.DebugSession>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscriptions: readonly vscode.Disposable[];

  /** Also when one of them has come to a turning point. */
  readonly onDidChange = this.#changed.event;

  constructor(connections: Connections) {
    this.#connections = connections;
    this.#subscriptions = [
      this.#changed,
      // A session whose start fails, or takes long, has a tracker all the same.
      vscode.debug.registerDebugAdapterTrackerFactory(debugType, {
        createDebugAdapterTracker: (session) => this.#track(session),
      }),
      vscode.debug.onDidStartDebugSession((session) => {
        if (keysIn(session).length > 0) this.#surrounded.add(session);
      }),
      vscode.debug.onDidTerminateDebugSession((session) => this.#forget(session)),
    ];
  }

  /** The keys of those through our own debug adapter. */
  get keys(): readonly string[] {
    return [...this.#sessions.keys()];
  }

  /** Those through our own debug adapter that use this session. */
  of(key: string): readonly vscode.DebugSession[] {
    return [...(this.#sessions.get(key) ?? [])];
  }

  /** Those of other debuggers that use it. */
  around(key: string): readonly vscode.DebugSession[] {
    return [...this.#surrounded].filter((session) => keysIn(session).includes(key));
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  async #track(session: vscode.DebugSession): Promise<vscode.DebugAdapterTracker | undefined> {
    const key = await this.#keyOf(session);
    if (key === undefined) return undefined;
    const sessions = this.#sessions.get(key) ?? new Set();
    this.#sessions.set(key, sessions.add(session));
    this.#changed.fire();
    return {
      onDidSendMessage: (message) => {
        const { event, command } = messageSchema.safeParse(message).data ?? {};
        if (turningPoints.has(event ?? '') || command === 'launch' || command === 'attach') this.#changed.fire();
      },
      onExit: () => this.#forget(session),
    };
  }

  /** Undefined: a further process of a program, or a configuration that cannot be used, which its start will say. */
  async #keyOf({ configuration, workspaceFolder }: vscode.DebugSession): Promise<string | undefined> {
    if (markerKey in configuration) return undefined;
    try {
      const { parseLaunchConfiguration } = await import('../../launch/configuration.ts');
      const parsed = parseLaunchConfiguration(configuration, 'The launch configuration');
      const options = { folder: folderPath(workspaceFolder), startsProgram: true };
      return (await this.#connections.requestFor(parsed, options)).key;
    } catch {
      return undefined;
    }
  }

  #forget(session: vscode.DebugSession): void {
    this.#surrounded.delete(session);
    for (const [key, sessions] of this.#sessions) {
      if (!sessions.delete(session)) continue;
      if (sessions.size === 0) this.#sessions.delete(key);
      this.#changed.fire();
    }
  }
}

function keysIn({ configuration }: vscode.DebugSession): readonly string[] {
  const marker = markerOf(configuration);
  return marker?.step === 'ready' ? marker.keys : [];
}
