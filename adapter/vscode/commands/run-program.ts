/** Runs one command of our own program, such as `restore`. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Problem } from '../../problem.ts';
import type { Services } from '../services.ts';
import { type ProgramOutput, readOutput } from './program-output.ts';

export interface ProgramEnd extends ProgramOutput {
  readonly stdout: string;
  /** `null`: ended by a signal. */
  readonly exitCode: number | null;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  /** Called with each line for the user as it comes. */
  readonly line?: (text: string) => void;
  readonly folder?: string | undefined;
}

/**
 * Resolves when the program has ended, however it ended; `problem` says why if it failed. Aborting ends it.
 * Problem command-missing if it cannot be started; the signal's reason if it was aborted.
 */
export async function runProgram(
  { program, output }: Pick<Services, 'program' | 'output'>,
  words: readonly string[],
  { signal, line, folder }: RunOptions,
): Promise<ProgramEnd> {
  signal.throwIfAborted();
  const { command, args, env } = await program();
  output.info(`kubernetes-local ${words.join(' ')}`);
  const child = spawn(command, [...args, ...words], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    signal,
    ...(folder !== undefined && { cwd: folder }),
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve(code));
  });
  const stdout: Buffer[] = [];
  const stderr: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  createInterface({ input: child.stderr }).on('line', (text) => {
    stderr.push(text);
    output.info(text);
    line?.(text);
  });
  try {
    const exitCode = await exit;
    return { stdout: Buffer.concat(stdout).toString(), exitCode, ...readOutput(stderr.join('\n'), exitCode) };
  } catch (error) {
    signal.throwIfAborted();
    throw new Problem(
      {
        code: 'command-missing',
        what: 'kubernetes-local cannot be started.',
        why: error instanceof Error ? error.message : String(error),
        remedy: 'Set "kubernetes-local.node" to a Node.js of version 22.19 or later.',
      },
      { cause: error },
    );
  }
}
