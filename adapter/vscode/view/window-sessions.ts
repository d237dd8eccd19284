/** All that the surface shows of the sessions: the extension's connections, and the debug sessions of this window. */
import * as vscode from 'vscode';
import type { Connection } from '../../session/protocol.ts';
import type { ConnectionState, ForeignSession, HeldConnection } from '../connections/state.ts';
import type { Services } from '../services.ts';
import { DebuggedSessions } from './debugged-sessions.ts';
import { type KnownSessions, ofThisWindow } from './known-sessions.ts';

export class WindowSessions implements KnownSessions, vscode.Disposable {
  readonly #services: Services;
  readonly #debugged: DebuggedSessions;
  /** Of the debugged ones; read once, when they stand. */
  readonly #connections = new Map<string, Connection>();
  /** Keys of the debugged ones, also of those whose debug session has ended and that are being undone for it. */
  readonly #ours = new Set<string>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscriptions: readonly vscode.Disposable[];
  #known: KnownSessions = { state: { kind: 'none' }, held: [], foreign: [] };

  readonly onDidChange = this.#changed.event;

  constructor(services: Services) {
    this.#services = services;
    this.#debugged = new DebuggedSessions(services.connections);
    this.#subscriptions = [
      this.#changed,
      this.#debugged,
      services.connections.onDidChange(() => this.#update()),
      this.#debugged.onDidChange(() => {
        this.#update();
        this.#inBackground(services.connections.refresh());
      }),
    ];
    this.#update();
  }

  get state(): ConnectionState {
    return this.#known.state;
  }

  get held(): readonly HeldConnection[] {
    return this.#known.held;
  }

  get foreign(): readonly ForeignSession[] {
    return this.#known.foreign;
  }

  /** The connection of any session that stands, as it is now; undefined if it does not. */
  standing(key: string): Promise<Connection | undefined> {
    return this.#services.connections.standing(key);
  }

  /** The debug sessions through our own debug adapter that use this session. */
  debugging(key: string): readonly vscode.DebugSession[] {
    return this.#debugged.of(key);
  }

  /** The debug sessions of other debuggers that use it, around which the extension has connected. */
  around(key: string): readonly vscode.DebugSession[] {
    return this.#debugged.around(key);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #update(): void {
    const { connections } = this.#services;
    const { keys } = this.#debugged;
    const undoing = connections.foreign.filter(({ key, state }) => this.#ours.has(key) && state === 'undoing');
    this.#ours.clear();
    for (const key of [...keys, ...undoing.map(({ key }) => key)]) this.#ours.add(key);
    const standing = connections.foreign.filter(({ key, state }) => keys.includes(key) && state === 'connected');
    for (const key of this.#connections.keys()) {
      if (!standing.some((session) => session.key === key)) this.#connections.delete(key);
    }
    for (const { key } of standing) if (!this.#connections.has(key)) this.#inBackground(this.#read(key));
    this.#known = ofThisWindow(connections, new Map([...this.#ours].map((key) => [key, this.#connections.get(key)])));
    this.#changed.fire();
  }

  async #read(key: string): Promise<void> {
    const connection = await this.#services.connections.standing(key);
    if (connection === undefined || this.#connections.has(key)) return;
    this.#connections.set(key, connection);
    this.#update();
  }

  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#services.output.warn(String(error)));
  }
}
