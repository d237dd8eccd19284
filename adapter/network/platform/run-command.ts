/** Runs one of the system's programs for a short moment, without a shell. */
import { execFile } from 'node:child_process';
import type { Command } from './platform-commands.ts';

/** How a program ended. `code` is undefined if it could not be started, or was stopped. */
export interface CommandEnd {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; never rejects but by the signal. Tests put a fake in its place. */
export type RunCommand = (command: Command, signal: AbortSignal) => Promise<CommandEnd>;

const patienceMilliseconds = 5_000;

/** Runs it with English messages, for some of them are read by us; stopped after five seconds. */
export const runCommand: RunCommand = ([program, ...args], signal) =>
  new Promise((resolve, reject) => {
    const options = {
      encoding: 'utf8',
      timeout: patienceMilliseconds,
      killSignal: 'SIGKILL',
      env: { ...process.env, LC_ALL: 'C' },
      signal,
    } as const;
    execFile(program, args, options, (error, stdout, stderr) => {
      if (signal.aborted) return reject(signal.reason);
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
      resolve({ code, stdout, stderr: stderr || (code === undefined && error !== null ? error.message : '') });
    });
  });
