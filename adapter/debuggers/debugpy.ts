/** debugpy, the debug adapter for Python: https://github.com/microsoft/debugpy (arguments: its wiki, "Debug configuration settings"). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../problem.ts';
import { environmentObject, withEnvironmentFiles } from './environment.ts';
import type { DebuggerProfile, DelegateArguments, DelegateCommand } from './profile.ts';
import { complaint, findProgram } from './program.ts';
import { commandOfUser, overStdio } from './settings.ts';

export const debugpy: DebuggerProfile = {
  types: ['debugpy', 'python'],
  title: 'debugpy',
  adapterID: 'debugpy',
  startsAt: 'initialize',
  // As debugpy 1.6.3 and 1.8 answer.
  capabilities: {
    supportsCompletionsRequest: true,
    supportsConditionalBreakpoints: true,
    supportsConfigurationDoneRequest: true,
    supportsDelayedStackTraceLoading: true,
    supportsEvaluateForHovers: true,
    supportsExceptionInfoRequest: true,
    supportsExceptionOptions: true,
    supportsFunctionBreakpoints: true,
    supportsHitConditionalBreakpoints: true,
    supportsLogPoints: true,
    supportsModulesRequest: true,
    supportsSetExpression: true,
    supportsSetVariable: true,
    supportsValueFormattingOptions: true,
    supportTerminateDebuggee: true,
    supportsTerminateRequest: true,
    supportsGotoTargetsRequest: true,
    supportsClipboardContext: true,
    supportsStepInTargetsRequest: true,
    exceptionBreakpointFilters: [
      {
        filter: 'raised',
        label: 'Raised Exceptions',
        default: false,
        description: 'Break whenever any exception is raised.',
      },
      {
        filter: 'uncaught',
        label: 'Uncaught Exceptions',
        default: true,
        description: 'Break when the process is exiting due to unhandled exception.',
      },
      {
        filter: 'userUnhandled',
        label: 'User Uncaught Exceptions',
        default: false,
        description: 'Break when exception escapes into library code.',
      },
    ],
  },

  environmentAt: () => 'launch',

  command({ args, debugAdapter }) {
    const own = commandOfUser(debugAdapter) ?? listening(args);
    if (own !== undefined) return own;
    const { program, origin } = choosePython(args);
    return { ...overStdio([program, '-m', 'debugpy.adapter']), origin };
  },

  async check(command, signal) {
    const [python] = command.argv;
    // Only of an interpreter we know how to ask it.
    if (python === undefined || (findProgram(python) !== undefined && !command.argv.includes('-m'))) return;
    const reason = await complaint([python, '-c', 'import debugpy'], signal);
    if (reason === undefined) return;
    const line = `${python} -m pip install debugpy`;
    if (findProgram(python) === undefined) {
      throw new Problem({
        code: 'delegate-missing',
        what: `There is no program ${python} (${command.origin}).`,
        why: reason,
        remedy: `Name one with "python" of the delegate; it needs debugpy: "PYTHON -m pip install debugpy".`,
      });
    }
    const debian = existsSync('/etc/debian_version') && python === '/usr/bin/python3';
    throw new Problem({
      code: 'delegate-missing',
      what: `debugpy, the debugger for Python, cannot be started with ${python} (${command.origin}).`,
      why: reason,
      remedy: debian
        ? `Install it with "apt-get install python3-debugpy" or, in a virtual environment, with "${line}".`
        : `Install it with "${line}", or name another interpreter in "python" of the delegate.`,
    });
  },

  request({ args }, environment, request) {
    if (request === 'attach') return { command: request, arguments: { ...args } };
    const env = environmentObject(args, withEnvironmentFiles(args, environment));
    return { command: request, arguments: { ...args, env } };
  },

  // Each child process waits at a port of its own, which debugpy names in `connect`.
  childEndpoint: ({ connect }) => endpointIn(connect),
};

/** The debug adapter of a program that runs `debugpy.listen` or `python -m debugpy --listen`, as VS Code reaches it. */
function listening(args: DelegateArguments): DelegateCommand | undefined {
  if (args.request !== 'attach') return undefined;
  // In older configurations they stand outside.
  const endpoint = endpointIn(args.connect) ?? endpointIn(args);
  if (endpoint === undefined) return undefined;
  return { argv: [], origin: '"connect" of the delegate', transport: { kind: 'running', endpoint } };
}

function endpointIn(value: unknown): { readonly host: string; readonly port: number } | undefined {
  if (typeof value !== 'object' || value === null || !('port' in value)) return undefined;
  const host = 'host' in value && typeof value.host === 'string' ? value.host : '127.0.0.1';
  return { host, port: Number(value.port) };
}

/** `python` of the arguments (text, or a list whose first is the program), else VIRTUAL_ENV, else PATH. */
function choosePython(args: DelegateArguments): { program: string; origin: string } {
  const named: unknown = Array.isArray(args.python) ? args.python[0] : args.python;
  if (typeof named === 'string' && named !== '') {
    return { program: findProgram(named) ?? named, origin: '"python" of the delegate' };
  }
  const virtual = process.env.VIRTUAL_ENV;
  if (virtual !== undefined && virtual !== '') {
    const inside = findProgram(join(virtual, process.platform === 'win32' ? 'Scripts/python' : 'bin/python'));
    if (inside !== undefined) return { program: inside, origin: 'VIRTUAL_ENV' };
  }
  for (const name of ['python3', 'python']) {
    const program = findProgram(name);
    if (program !== undefined) return { program, origin: `${name} on PATH` };
  }
  return { program: 'python3', origin: 'not on PATH' };
}
