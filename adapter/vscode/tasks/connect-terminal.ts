/** The terminal of a task that connects: says what the command `kubernetes-local connect` would, and holds the connection. */
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import type { LaunchConfiguration } from '../../launch/configuration.ts';
import { Problem } from '../../problem.ts';
import type { Connections } from '../connections/connections.ts';
import type { HeldConnection } from '../connections/state.ts';
import type { TaskConnection, TaskConnections } from './task-connections.ts';

const controlC = '\u0003';

export interface ConnectTask {
  /** The task's name. */
  readonly name: string;
  /** Its definition, variables filled in, without what is not for the session. */
  readonly definition: Readonly<Record<string, unknown>>;
  readonly folder: string;
}

export class ConnectTerminal implements vscode.Pseudoterminal {
  readonly #task: ConnectTask;
  readonly #connections: Connections;
  readonly #tasks: TaskConnections;
  readonly #written = new vscode.EventEmitter<string>();
  readonly #closed = new vscode.EventEmitter<number>();
  readonly #abort = new AbortController();
  readonly #holder = `task:${randomUUID()}`;
  #standing: { readonly connection: TaskConnection; readonly watch: vscode.Disposable } | undefined;
  #isClosed = false;

  readonly onDidWrite = this.#written.event;
  readonly onDidClose = this.#closed.event;

  constructor(task: ConnectTask, connections: Connections, tasks: TaskConnections) {
    this.#task = task;
    this.#connections = connections;
    this.#tasks = tasks;
  }

  open(): void {
    void this.#run();
  }

  /** The user has ended the task, or closed its terminal. */
  close(): void {
    this.#isClosed = true;
    this.#abort.abort();
    void this.#letGo(0);
  }

  handleInput(data: string): void {
    if (!data.includes(controlC)) return;
    this.#abort.abort();
    if (this.#standing !== undefined) void this.#end(0);
  }

  async #run(): Promise<void> {
    try {
      const { parseLaunchConfiguration } = await import('../../launch/configuration.ts');
      const configuration = parseLaunchConfiguration(this.#task.definition, `The task "${this.#task.name}"`);
      this.#line(`Connecting to ${configuration.target} …`);
      const held = await this.#connections.connect(
        configuration,
        {
          folder: this.#task.folder,
          startsProgram: false,
          holder: this.#holder,
          step: (text) => this.#line(`${text} …`),
        },
        this.#abort.signal,
      );
      if (this.#abort.signal.aborted) await this.#connections.release(held.key, this.#holder);
      else this.#stands(held, configuration);
    } catch (error) {
      const problem = Problem.from(error);
      this.#line(`error (${problem.code}): ${problem.message}`);
      this.#finish(problem.exitCode);
    }
  }

  #stands(held: HeldConnection, configuration: LaunchConfiguration): void {
    const connection: TaskConnection = { held, configuration, end: (keepMs) => this.#end(keepMs) };
    const watch = this.#connections.onDidChange(() => {
      if (this.#connections.holdersOf(held.key).includes(this.#holder)) return;
      this.#forget();
      this.#line('The connection has ended.');
      this.#finish(0);
    });
    this.#standing = { connection, watch };
    this.#tasks.add(this.#task.name, connection);
    this.#line(`Connected: ${held.connection.workload}, container ${held.connection.container}.`);
    for (const { containerPort, localPort } of held.connection.ports) {
      this.#line(`  requests for port ${containerPort} reach 127.0.0.1:${localPort}`);
    }
    this.#line('Ready. Press Ctrl-C to undo everything.');
  }

  async #end(keepMs: number): Promise<void> {
    try {
      const ending = await this.#letGo(keepMs);
      if (ending === 'undone') this.#line('Everything is as it was before.');
      else if (ending === 'kept') this.#line('Disconnected.');
      else this.#line('The undo goes on by itself.');
      this.#finish(0);
    } catch (error) {
      const problem = Problem.from(error);
      this.#line(`error (${problem.code}): ${problem.message}`);
      this.#finish(problem.exitCode);
    }
  }

  async #letGo(keepMs: number) {
    const standing = this.#forget();
    if (standing === undefined) return 'undone' as const;
    return this.#connections.release(standing.connection.held.key, this.#holder, keepMs);
  }

  #forget() {
    const standing = this.#standing;
    this.#standing = undefined;
    standing?.watch.dispose();
    if (standing !== undefined) this.#tasks.remove(this.#task.name, standing.connection);
    return standing;
  }

  #line(text: string): void {
    if (!this.#isClosed) this.#written.fire(`${text.replaceAll('\n', '\r\n')}\r\n`);
  }

  #finish(code: number): void {
    if (!this.#isClosed) this.#closed.fire(code);
  }
}
