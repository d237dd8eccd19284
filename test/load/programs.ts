/** Programs that run here or in a pod, and what they say. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Kubectl } from '../stage/kubectl.ts';

/** Runs a program to its end and resolves with its standard output; an Error has the last of its standard error. */
export type Run = (argv: readonly string[], options?: RunOptions) => Promise<string>;

interface RunOptions {
  readonly input?: string | Buffer;
  /** Called with each line of standard error. */
  readonly say?: (line: string) => void;
  /** The longest that it may take. */
  readonly seconds?: number;
}

/** For what hangs, not for what is slow. */
const usualSeconds = 600;

const linesKept = 20;

/** Runs it on this computer. */
export const runHere: Run = async ([program = '', ...args], options = {}) => {
  const { input = '', say = () => {}, seconds = usualSeconds } = options;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: seconds * 1000 });
  child.stdin.on('error', () => {}).end(input);
  const last: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    say(line);
    last.push(line);
    if (last.length > linesKept) last.shift();
  });
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0)
    throw new Error(`${program} ${args.slice(0, 4).join(' ')} ended with ${code ?? signal}:\n${last.join('\n')}`);
  return output;
};

/** Runs it in the pod of a Deployment. */
export function runIn(kubectl: Kubectl, namespace: string, deployment: string): Run {
  return (argv, options) =>
    runHere([...kubectl.argv, 'exec', '-i', '-n', namespace, `deployment/${deployment}`, '--', ...argv], options);
}

/** A server on this computer. */
export interface LocalServer extends AsyncDisposable {
  /** Lines of its standard output so far. */
  readonly lines: readonly string[];
  /** Resolves with the first line for which this holds, of those from this number on. */
  line(wanted: (line: string) => boolean, from?: number): Promise<string>;
}

/** Starts it; disposing ends it. */
export function startServer(
  [program = '', ...args]: readonly string[],
  options: { uid?: number; gid?: number } = {},
): LocalServer {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  const lines: string[] = [];
  const closed = once(child, 'close');
  closed.catch(() => {});
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return {
    lines,
    line: async (wanted, from = 0) => {
      for (;;) {
        const found = lines.slice(from).find(wanted);
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`${program} ended:\n${lines.join('\n')}`);
        await Promise.race([closed, once(child.stdout ?? child, 'data')]);
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await closed;
    },
  };
}
