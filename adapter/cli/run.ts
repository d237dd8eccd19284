import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Command } from 'commander';
import { findProgram } from '../debuggers/program.ts';
import { Problem } from '../problem.ts';
import { programEnvironment } from '../session/client/program-environment.ts';
import { errorFormatOption } from './error-format.ts';
import { addHeldOptions, addTargetOptions, addTimingsOption, targetRequest } from './target-options.ts';
import { showNotice } from './terminal.ts';
import { type EndedBy, withSession } from './terminal-session.ts';

/** How long a program that was asked to end may take. */
const endPatienceMilliseconds = 5_000;

/** `run -- COMMAND`: runs a program in the environment of the workload; its exit code is the command's. */
export function runCommand(): Command {
  const command = new Command('run').description('run a command in place of a workload, then undo everything');
  return addTimingsOption(addHeldOptions(addTargetOptions(command)))
    .addOption(errorFormatOption())
    .argument('<command>', 'the program to run; put -- before it')
    .argument('[args...]')
    .passThroughOptions()
    .action(async (command: string, args: readonly string[], { errorFormat: _, ...flags }) => {
      const request = targetRequest(flags, true);
      // A slip of the keyboard should not cost a rollout and its undo.
      if (findProgram(command) === undefined) throw missing(command, 'There is no such program.');
      process.exitCode = await withSession(request, (session, ended, endedBy) => {
        const environment = programEnvironment(session.connection, request.choice, (text) =>
          showNotice({ level: 'warning', text }),
        );
        const [program = command, ...words] = [...(session.connection.network.place?.prefix ?? []), command, ...args];
        return runProgram(program, words, environment, {
          ended,
          endedBy,
          // Not ours to end if we are killed: it may be a shell with all that the user started from it.
          started: (pid) => session.processes.started(pid, 'attached'),
        });
      });
    });
}

/** Resolves with the exit code as a shell counts it: 128 and the signal's number if a signal ended it. */
function runProgram(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  session: { readonly ended: AbortSignal; readonly endedBy: EndedBy; started(pid: number): void },
): Promise<number> {
  const { ended, endedBy, started } = session;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
    let force: NodeJS.Timeout | undefined;
    const stop = () => {
      const signal = endedBy() ?? 'SIGTERM';
      // Ctrl-C reaches all programs of a terminal; a second one would be taken for impatience.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
      force = setTimeout(() => child.kill('SIGKILL'), endPatienceMilliseconds);
    };
    if (ended.aborted) stop();
    else ended.addEventListener('abort', stop, { once: true });
    if (child.pid !== undefined) started(child.pid);
    child.once('error', (error) => {
      ended.removeEventListener('abort', stop);
      reject(missing(command, error.message, error));
    });
    child.once('exit', (code, signal) => {
      clearTimeout(force);
      ended.removeEventListener('abort', stop);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

function missing(command: string, why: string, cause?: Error): Problem {
  return new Problem(
    {
      code: 'command-missing',
      what: `"${command}" could not be started.`,
      why,
      remedy: 'Check the name and the PATH.',
    },
    { cause },
  );
}
