/** What one client tells about processes; told again to each daemon that it reaches while it connects. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { type ProcessRole, processNotification, type ReportedProcess } from '../protocol.ts';

export class ReportedProcesses {
  readonly #reported: ReportedProcess[] = [];
  #daemon: MessageConnection | undefined;

  /** Reports a process of the debug session, or one that it is attached to. */
  started(pid: number, role: ProcessRole): void {
    const started = { pid, role };
    this.#reported.push(started);
    void this.#tell(started);
  }

  /** From now on this daemon is the one to tell. */
  reportTo(daemon: MessageConnection): void {
    this.#daemon = daemon;
    for (const started of this.#reported) void this.#tell(started);
  }

  async #tell(started: ReportedProcess): Promise<void> {
    try {
      await this.#daemon?.sendNotification(processNotification, started);
    } catch {
      // The daemon is gone, and with it the guard; the session hears of that by itself.
    }
  }
}
