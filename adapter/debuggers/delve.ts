/** Delve, the debugger for Go: https://github.com/go-delve/delve (arguments: service/dap/types.go, and vscode-go's docs/debugging.md). */
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { Problem } from '../problem.ts';
import { environmentObject, withEnvironmentFiles } from './environment.ts';
import { masonPackage } from './places.ts';
import type { DebuggerProfile, DelegateArguments, DelegateCommand } from './profile.ts';
import { complaint, findProgram } from './program.ts';
import { commandOfUser } from './settings.ts';

export const delve: DebuggerProfile = {
  types: ['go', 'delve', 'dlv'],
  title: 'Delve',
  adapterID: 'go',
  startsAt: 'initialize',
  // As Delve 1.20.2 answers.
  capabilities: {
    supportsConfigurationDoneRequest: true,
    supportsFunctionBreakpoints: true,
    supportsConditionalBreakpoints: true,
    supportsEvaluateForHovers: true,
    supportsSetVariable: true,
    supportsExceptionInfoRequest: true,
    supportsDelayedStackTraceLoading: true,
    supportsLogPoints: true,
    supportsDisassembleRequest: true,
    supportsClipboardContext: true,
    supportsSteppingGranularity: true,
    supportsInstructionBreakpoints: true,
  },

  environmentAt: () => 'launch',

  command({ args, debugAdapter }) {
    const command = commandOfUser(debugAdapter, (given) => calling(given, args)) ?? listening(args) ?? found(args);
    if (builds(args) && findProgram('go', pathOf(args)) === undefined) {
      throw new Problem({
        code: 'delegate-missing',
        what: 'Delve is there, but Go is not.',
        why: 'Delve builds the program with "go", which is not on PATH.',
        remedy:
          'Install Go from https://go.dev/dl or put its bin folder on PATH, or build before and debug with "mode": "exec".',
      });
    }
    return command;
  },

  async check(command, signal) {
    const [dlv] = command.argv;
    if (dlv === undefined) return;
    const reason = await complaint([dlv, 'version'], signal);
    if (reason === undefined) return;
    throw missing(`${dlv} (${command.origin}): ${reason}`);
  },

  request({ args }, environment, request) {
    if (request === 'attach') return { command: request, arguments: { ...args } };
    const env = environmentObject(args, withEnvironmentFiles(args, environment));
    return { command: request, arguments: { ...args, ...resolved(args), env } };
  },
};

/** Delve calls us, so that nobody else of this computer can reach it (1.20.2 can). */
function calling(
  command: readonly string[],
  args: DelegateArguments,
): Pick<DelegateCommand, 'argv' | 'transport' | 'elsewhere'> {
  const dap = [...(command.includes('dap') ? command : [...command, 'dap']), ...flagsOf(args)];
  const ready = /^DAP server listening at: (?<host>.+):(?<port>\d+)$/;
  return {
    argv: [...dap, '--client-addr=127.0.0.1:{port}'],
    transport: { kind: 'callback' },
    elsewhere: { argv: [...dap, '--listen=127.0.0.1:0'], transport: { kind: 'server', ready } },
  };
}

function found(args: DelegateArguments): DelegateCommand {
  const { program, origin } = findDelve(args);
  return { ...calling([program], args), origin };
}

/** vscode-go: with `port`, a `dlv dap` or `dlv --headless` is there already. */
function listening({ host, port }: DelegateArguments): DelegateCommand | undefined {
  if (typeof port !== 'number') return undefined;
  const endpoint = { host: typeof host === 'string' ? host : '127.0.0.1', port };
  return { argv: [], origin: '"port" of the delegate', transport: { kind: 'running', endpoint } };
}

/** What vscode-go makes options of the command line of. */
function flagsOf({ dlvFlags, showLog, logOutput }: DelegateArguments): readonly string[] {
  return [
    ...(Array.isArray(dlvFlags) ? dlvFlags.map(String) : []),
    ...(showLog === true ? ['--log', ...(typeof logOutput === 'string' ? [`--log-output=${logOutput}`] : [])] : []),
  ];
}

function findDelve({ dlvToolPath }: DelegateArguments): { program: string; origin: string } {
  if (typeof dlvToolPath === 'string' && dlvToolPath !== '') {
    return { program: dlvToolPath, origin: '"dlvToolPath" of the delegate' };
  }
  const { GOBIN, GOPATH } = process.env;
  const mason = masonPackage('delve');
  // IDEs are often started without the PATH of the shell; `go install` puts programs here.
  const goBin = GOBIN || join(GOPATH?.split(delimiter)[0] || join(homedir(), 'go'), 'bin');
  const candidates = [
    { name: 'dlv', origin: 'dlv on PATH' },
    { name: join(goBin, 'dlv'), origin: goBin },
    ...(mason === undefined ? [] : [{ name: join(mason, 'dlv'), origin: 'Mason' }]),
  ];
  for (const { name, origin } of candidates) {
    const program = findProgram(name);
    if (program !== undefined) return { program, origin };
  }
  throw missing(`There is no dlv on PATH or in ${goBin}.`);
}

function missing(why: string): Problem {
  const line = '"go install github.com/go-delve/delve/cmd/dlv@latest"';
  return new Problem({
    code: 'delegate-missing',
    what: 'Delve, the debugger for Go, cannot be started.',
    why,
    remedy: existsSync('/etc/debian_version')
      ? `Install it with ${line}, or with "apt-get install delve" if your Go is Debian's too.`
      : `Install it with ${line}.`,
  });
}

/** What vscode-go fills in before Delve gets the configuration, for those who copy theirs. */
function resolved(args: DelegateArguments): Record<string, unknown> {
  const { program, mode, dlvCwd } = args;
  if (typeof program !== 'string') return {};
  const isTest = mode === 'test' || (mode === 'auto' && program.endsWith('_test.go'));
  const given = isTest && program.endsWith('_test.go') ? dirname(program) : program;
  return {
    ...(given !== program && { program: given }),
    ...(mode === 'auto' && { mode: isTest ? 'test' : 'debug' }),
    // A program is built from the folder of its module; from another one `go build` refuses (Go 1.19).
    ...(builds(args) && dlvCwd === undefined && folderOf(given)),
  };
}

function folderOf(program: string): { program: string; dlvCwd: string } | Record<string, never> {
  const full = resolve(program);
  try {
    return { program: full, dlvCwd: statSync(full).isDirectory() ? full : dirname(full) };
  } catch {
    // Delve itself says best that it does not exist, or knows it as the path of a package.
    return {};
  }
}

function builds({ program, mode, request }: DelegateArguments): boolean {
  return (
    typeof program === 'string' &&
    request !== 'attach' &&
    (mode === undefined || mode === 'auto' || mode === 'debug' || mode === 'test')
  );
}

function pathOf({ env }: DelegateArguments): string | undefined {
  const own: unknown = typeof env === 'object' && env !== null && 'PATH' in env ? env.PATH : undefined;
  return typeof own === 'string' ? own : undefined;
}
