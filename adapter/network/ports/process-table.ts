/** What the system tells of processes and of the ports on which they listen; process-table-*.ts has it for each system. */

/** A TCP socket that listens, and whose it is. */
export interface Listener {
  readonly address: string;
  readonly port: number;
  /** 0 if the process is not to be seen. */
  readonly pid: number;
  /** The program's name; "a process" if it is not to be seen. */
  readonly name: string;
  /** Login name, or the uid where it has none. */
  readonly user: string;
}

/** A living process. */
export interface ProcessFacts {
  readonly pid: number;
  /** Opaque; a later process with the same pid has another one. */
  readonly start: string;
  /** Whether it runs as the user of this process, and as no other. */
  readonly own: boolean;
  /** Its words as far as the system shows them. */
  readonly commandLine: readonly string[];
}

export interface ProcessTable {
  /** All listeners, or those on one port. */
  listeners(port: number | undefined, signal: AbortSignal): Promise<readonly Listener[]>;
  /** Undefined if there is no such process any more. */
  facts(pid: number, signal: AbortSignal): Promise<ProcessFacts | undefined>;
  /** Every process with its parent. */
  parents(signal: AbortSignal): Promise<ReadonlyMap<number, number>>;
  /** Asks a process to end, or ends it by force. Errors of the system as they are. */
  end(pid: number, how: 'gracefully' | 'by force', signal: AbortSignal): Promise<void>;
}
