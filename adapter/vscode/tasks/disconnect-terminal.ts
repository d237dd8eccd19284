/** The terminal of a task that disconnects, such as a `postDebugTask`: waits until everything is undone. */
import * as vscode from 'vscode';
import { Problem } from '../../problem.ts';
import type { Connections } from '../connections/connections.ts';
import type { ConnectTask } from './connect-terminal.ts';

export class DisconnectTerminal implements vscode.Pseudoterminal {
  readonly #task: ConnectTask;
  readonly #connections: Connections;
  readonly #written = new vscode.EventEmitter<string>();
  readonly #closed = new vscode.EventEmitter<number>();

  readonly onDidWrite = this.#written.event;
  readonly onDidClose = this.#closed.event;

  constructor(task: ConnectTask, connections: Connections) {
    this.#task = task;
    this.#connections = connections;
  }

  open(): void {
    void this.#run();
  }

  /** What has begun goes on. */
  close(): void {}

  async #run(): Promise<void> {
    try {
      const keys = await this.#keys();
      this.#line(keys.length === 0 ? 'Nothing is connected by this window.' : 'Disconnecting …');
      const endings = await Promise.all(keys.map((key) => this.#connections.disconnect(key)));
      if (endings.every((ending) => ending === 'undone')) this.#line('Everything is as it was before.');
      else if (endings.includes('finishing')) this.#line('The undo goes on by itself.');
      else this.#line('The session stands on for its other clients.');
      this.#closed.fire(0);
    } catch (error) {
      const problem = Problem.from(error);
      this.#line(`error (${problem.code}): ${problem.message}`);
      this.#closed.fire(problem.exitCode);
    }
  }

  /** Without a target: all that this window holds. */
  async #keys(): Promise<readonly string[]> {
    const { definition, name, folder } = this.#task;
    const held = this.#connections.held.map(({ key }) => key);
    if (definition.target === undefined) return held;
    const { parseLaunchConfiguration } = await import('../../launch/configuration.ts');
    const configuration = parseLaunchConfiguration(definition, `The task "${name}"`);
    const { key } = await this.#connections.requestFor(configuration, { folder, startsProgram: false });
    return held.filter((each) => each === key);
  }

  #line(text: string): void {
    this.#written.fire(`${text}\r\n`);
  }
}
