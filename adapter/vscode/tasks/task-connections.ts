/** Which connections the tasks of this window hold, by the names of the tasks. */
import type { LaunchConfiguration } from '../../launch/configuration.ts';
import type { HeldConnection } from '../connections/state.ts';

/** A connection that a running task holds. */
export interface TaskConnection {
  readonly held: HeldConnection;
  readonly configuration: LaunchConfiguration;
  /** Lets go of it and ends the task; resolves when that is done. */
  end(keepMs: number): Promise<void>;
}

export class TaskConnections {
  readonly #standing = new Map<string, TaskConnection>();

  /** The task of this name holds a connection from now on. */
  add(name: string, connection: TaskConnection): void {
    this.#standing.set(name, connection);
  }

  /** It does not any more; nothing happens if another run of the task holds one. */
  remove(name: string, connection: TaskConnection): void {
    if (this.#standing.get(name) === connection) this.#standing.delete(name);
  }

  /** What the task of this name holds now. */
  standing(name: string): TaskConnection | undefined {
    return this.#standing.get(name);
  }

  /** Ends the tasks that hold this session, which no debug session uses any more. */
  async endAfterDebugging(key: string, keepMs: number): Promise<void> {
    const ending = [...this.#standing.values()].filter(({ held }) => held.key === key);
    await Promise.all(ending.map((each) => each.end(keepMs)));
  }
}
