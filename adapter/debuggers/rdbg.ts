/**
 * rdbg, the debugger of the debug gem for Ruby: https://github.com/ruby/debug (arguments: package.json of
 * https://github.com/ruby/vscode-rdbg). The program is on its command line, and its process is the program's.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Problem } from '../problem.ts';
import type { DebuggerProfile, DelegateArguments, DelegateCommand, Endpoint } from './profile.ts';
import { complaint, findProgram } from './program.ts';
import { commandOfUser } from './settings.ts';
import { newestOnPath } from './versions.ts';

export const rdbg: DebuggerProfile = {
  types: ['rdbg', 'ruby'],
  title: 'rdbg',
  adapterID: 'rdbg',
  startsAt: 'launch',
  isProgram: true,
  // As 1.6.3 answers; later versions can do more, which the client hears then.
  capabilities: {
    supportsConfigurationDoneRequest: true,
    supportsFunctionBreakpoints: true,
    supportsConditionalBreakpoints: true,
    supportTerminateDebuggee: true,
    supportsTerminateRequest: true,
    exceptionBreakpointFilters: [
      { filter: 'any', label: 'rescue any exception', supportsCondition: true },
      { filter: 'RuntimeError', label: 'rescue RuntimeError', supportsCondition: true },
    ],
    supportsExceptionFilterOptions: true,
    supportsStepBack: true,
    supportsEvaluateForHovers: true,
    supportsCompletionsRequest: true,
  },

  environmentAt: () => 'start',

  command({ args, debugAdapter }) {
    const line = programLine(args);
    if (line === undefined) return commandOfUser(debugAdapter) ?? listening(args);
    const own = commandOfUser(debugAdapter, (command) => opening(command, line));
    const cwd = folderOf(args);
    if (!existsSync(cwd)) throw withoutFolder(cwd);
    // At a higher level it would not say that it waits.
    const environment = { RUBY_DEBUG_LOG_LEVEL: 'WARN', ...environmentOf(args) };
    return { ...(own ?? found(args, line)), cwd, environment };
  },

  async check(command, signal) {
    const [program, ...args] = command.argv;
    if (program === undefined) return;
    const own = args.slice(0, Math.max(0, args.indexOf('--open')));
    const reason = await complaint([program, ...own, '--version'], signal, command.cwd);
    if (reason === undefined) return;
    throw missing(`${[program, ...own].join(' ')} (${command.origin}): ${reason}`);
  },

  // `launch` goes on after `configurationDone`, `attach` waits there for the user (server_dap.rb of 1.6.3).
  request({ args }, _environment, request) {
    return { command: request, arguments: { localfs: true, ...args } };
  },
};

/**
 * Stopped, it waits for a debugger. In 1.6.3 a connection before that gets the text of its own console, which is no DAP,
 * until it has read `initialize`.
 */
const ready = /wait for debugger connection/;

/**
 * It listens at a socket, where `localfs` holds from the beginning: at a port, 1.6.3 refuses breakpoints until `launch`.
 * It waits for us as soon as it is loaded, so that breakpoints can be set in whatever is loaded after it.
 */
function opening(command: readonly string[], line: readonly string[]): Pick<DelegateCommand, 'argv' | 'transport'> {
  // Ruby has no Unix sockets on Windows.
  const windows = process.platform === 'win32';
  const place = windows ? ['--host=127.0.0.1', '--port={port}'] : ['--sock-path={socket}'];
  return {
    argv: [...command, '--open', '--stop-at-load', ...place, '--command', '--', ...line],
    transport: windows ? { kind: 'port', host: '127.0.0.1' } : { kind: 'socket', ready },
  };
}

function found(args: DelegateArguments, line: readonly string[]): DelegateCommand {
  const { command, origin } = findRdbg(args);
  return { ...opening(command, line), origin };
}

/** The command line of the program; undefined if none is to be started. */
function programLine(args: DelegateArguments): readonly [string, ...string[]] | undefined {
  const { command, useBundler } = args;
  const given = textOf(args.script) ?? textOf(args.program);
  if (given === undefined && command === undefined) return undefined;
  // vscode-rdbg hands it to a shell: "bin/rails server" is a script with an argument.
  const isFile = given === undefined || existsSync(resolve(folderOf(args), given));
  const script = given === undefined ? [] : isFile ? [given] : words(given);
  const rest = Array.isArray(args.args) ? args.args.map(String) : [];
  const [head, ...tail] = Array.isArray(command) ? command.map(String) : words(textOf(command) ?? '');
  if (head !== undefined) return [head, ...tail, ...script, ...rest];
  const bundle = useBundler === false || bundledRdbg(args) ? undefined : bundler(args);
  return bundle === undefined ? ['ruby', ...script, ...rest] : [bundle, 'exec', 'ruby', ...script, ...rest];
}

function findRdbg(args: DelegateArguments): { command: readonly string[]; origin: string } {
  const named = textOf(args.rdbgPath);
  if (named !== undefined) {
    const command = findProgram(named) === undefined ? words(named) : [named];
    return { command, origin: '"rdbgPath" of the delegate' };
  }
  const bundle = bundler(args);
  if (bundle !== undefined && bundledRdbg(args)) return { command: [bundle, 'exec', 'rdbg'], origin: 'Gemfile.lock' };
  const ruby = findProgram('ruby');
  const candidates = [
    { program: findProgram('rdbg'), origin: 'rdbg on PATH' },
    { program: newestOnPath('rdbg'), origin: 'on PATH' },
    { program: ruby && findProgram(join(dirname(ruby), 'rdbg')), origin: 'beside ruby' },
  ];
  for (const { program, origin } of candidates) if (program !== undefined) return { command: [program], origin };
  throw missing('There is no rdbg on PATH, and none in a Gemfile.lock.');
}

/** Whether the program's bundle has the debug gem: then it must be this one. */
function bundledRdbg(args: DelegateArguments): boolean {
  const gemfile = gemfileOf(args);
  if (args.useBundler === false || gemfile === undefined) return false;
  try {
    return /^ {4}debug \(/m.test(readFileSync(`${gemfile}.lock`, 'utf8'));
  } catch {
    return false;
  }
}

/** The program that runs others in a bundle, if there is a bundle. */
function bundler(args: DelegateArguments): string | undefined {
  if (args.useBundler === false || gemfileOf(args) === undefined) return undefined;
  return findProgram(textOf(args.bundlePath) ?? 'bundle');
}

/** As Bundler looks for it: in the working directory and those above. */
function gemfileOf(args: DelegateArguments): string | undefined {
  for (let folder = folderOf(args); ; folder = dirname(folder)) {
    const gemfile = join(folder, 'Gemfile');
    if (existsSync(gemfile)) return gemfile;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The user's variables, which come on top of the pod's; null removes one. */
function environmentOf({ env }: DelegateArguments): Record<string, string | undefined> {
  if (typeof env !== 'object' || env === null) return {};
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value === null ? undefined : String(value)]),
  );
}

/** vscode-rdbg: where a program listens that was started with `rdbg --open`. */
function listening({ debugPort }: DelegateArguments): DelegateCommand {
  const text = typeof debugPort === 'number' ? String(debugPort) : textOf(debugPort);
  if (text === undefined) {
    throw new Problem({
      code: 'missing-key',
      what: 'The delegate has neither "script" nor "debugPort".',
      why: 'rdbg starts the program in "script", or is in a program already that listens at "debugPort".',
      remedy:
        'Add for example "script": "app.rb", or start the program with "rdbg --open --port 12345" and add "debugPort": "12345".',
    });
  }
  return {
    argv: [],
    origin: '"debugPort" of the delegate',
    transport: { kind: 'running', endpoint: endpointOf(text) },
  };
}

function endpointOf(text: string): Endpoint {
  const [, host = '127.0.0.1', port] = /^(?:(.+):)?(\d+)$/.exec(text) ?? [];
  return port === undefined ? { path: text } : { host, port: Number(port) };
}

function folderOf({ cwd }: DelegateArguments): string {
  return resolve(textOf(cwd) ?? '');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What a shell would make of it, as far as blanks and quotes go. */
function words(text: string): string[] {
  const found = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return found.map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'));
}

function withoutFolder(cwd: string): Problem {
  return new Problem({
    code: 'bad-value',
    what: `There is no folder ${cwd}.`,
    why: 'It is "cwd" of the delegate, where the program is to be started.',
    remedy: 'Name an existing folder, or leave "cwd" out.',
  });
}

function missing(why: string): Problem {
  return new Problem({
    code: 'delegate-missing',
    what: 'rdbg, the debugger for Ruby, cannot be started.',
    why,
    remedy: existsSync('/etc/debian_version')
      ? 'Install it with "gem install debug", with "bundle add debug --group development", or Debian\'s with "apt-get install ruby".'
      : 'Install it with "gem install debug" or "bundle add debug --group development", or name it in "rdbgPath" of the delegate.',
  });
}
