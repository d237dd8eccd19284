/** Running other programs: an argument list, never a shell; what went wrong is told by their own words. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ClusterError } from './error.ts';

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Exit codes that are no error; 0 by default. */
  readonly accept?: readonly number[];
  /** Called with each line of standard error as it comes. */
  readonly onErrorLine?: (line: string) => void;
}

/** Runs a program to its end; the last lines of its standard error are in the error if it fails. */
export async function run(
  [program, ...args]: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<{ stdout: string; code: number }> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.signal && { signal: options.signal }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.env && { env: options.env }),
  });
  const ended = Promise.withResolvers<number>();
  child.once('error', (error) => {
    const missing = 'code' in error && error.code === 'ENOENT';
    ended.reject(missing ? new ClusterError(`The program ${program} is not installed.`) : error);
  });
  child.once('close', (code, signal) => (signal === null ? ended.resolve(code ?? 0) : ended.reject(new Error(signal))));
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const lastLines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    options.onErrorLine?.(line);
    lastLines.push(line);
    if (lastLines.length > 20) lastLines.shift();
  });
  const code = await ended.promise;
  if (!(options.accept ?? [0]).includes(code)) {
    throw new ClusterError([`${program} ${args[0] ?? ''} failed with exit code ${code}:`, ...lastLines].join('\n'));
  }
  return { stdout: Buffer.concat(chunks).toString('utf8'), code };
}
