/**
 * netcoredbg, a debug adapter for .NET: https://github.com/Samsung/netcoredbg (arguments: src/protocols/vscodeprotocol.cpp).
 * Written after its source, not tried: .NET is in none of the registries that the tests can use.
 */
import { join } from 'node:path';
import { Problem } from '../problem.ts';
import { environmentObject, withEnvironmentFiles } from './environment.ts';
import { editorExtensions, masonPackage } from './places.ts';
import type { DebuggerProfile, DelegateCommand } from './profile.ts';
import { complaint, findProgram } from './program.ts';
import { commandOfUser, overStdio } from './settings.ts';

/** It speaks GDB/MI if not told otherwise. */
const speaking = '--interpreter=vscode';
/** The C# extension for editors that Microsoft's own debugger must not be used in; it brings netcoredbg. */
const extension = 'muhammad-sammy.csharp';

export const netcoredbg: DebuggerProfile = {
  // "coreclr" is the type of C# in VS Code, whose configurations it takes.
  types: ['netcoredbg', 'coreclr'],
  title: 'netcoredbg',
  adapterID: 'coreclr',
  startsAt: 'initialize',
  // As AddCapabilitiesTo of 3.1 has them.
  capabilities: {
    supportsConfigurationDoneRequest: true,
    supportsFunctionBreakpoints: true,
    supportsConditionalBreakpoints: true,
    supportTerminateDebuggee: true,
    supportsSetVariable: true,
    supportsSetExpression: true,
    supportsTerminateRequest: true,
    supportsCancelRequest: true,
    supportsExceptionInfoRequest: true,
    supportsExceptionFilterOptions: true,
    exceptionBreakpointFilters: [
      { filter: 'all', label: 'all' },
      { filter: 'user-unhandled', label: 'user-unhandled' },
    ],
    supportsExceptionOptions: false,
  },

  environmentAt: () => 'launch',

  command({ debugAdapter }) {
    const interpreted = (argv: readonly string[]) =>
      overStdio(argv.some((word) => word.startsWith('--interpreter')) ? argv : [...argv, speaking]);
    return commandOfUser(debugAdapter, interpreted) ?? find();
  },

  async check(command, signal) {
    const [program] = command.argv;
    if (program === undefined) return;
    const reason = await complaint([program, '--version'], signal);
    if (reason === undefined) return;
    throw missing(`${program} (${command.origin}): ${reason}`);
  },

  request({ args }, environment, request) {
    if (request === 'attach') return { command: request, arguments: { ...args } };
    const env = environmentObject(args, withEnvironmentFiles(args, environment));
    return { command: request, arguments: { ...args, env: textsOnly(env) } };
  },
};

/** It drops all variables, without a word, if one of them is no text. */
function textsOnly(environment: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === null || value === undefined ? [] : [[name, String(value)]],
    ),
  );
}

function find(): DelegateCommand {
  const mason = masonPackage('netcoredbg');
  const candidates = [
    { name: 'netcoredbg', origin: 'netcoredbg on PATH' },
    ...editorExtensions(extension).map((folder) => ({
      name: join(folder, '.debugger', 'netcoredbg', 'netcoredbg'),
      origin: `extension ${extension}`,
    })),
    // Its archive for Windows has a folder more.
    ...(mason === undefined ? [] : [mason, join(mason, 'netcoredbg')]).map((folder) => ({
      name: join(folder, 'netcoredbg'),
      origin: 'Mason',
    })),
  ];
  for (const { name, origin } of candidates) {
    const program = findProgram(name);
    if (program !== undefined) return { ...overStdio([program, speaking]), origin };
  }
  throw missing('It is not on PATH, not an extension of an editor, and not a package of Mason.');
}

function missing(why: string): Problem {
  return new Problem({
    code: 'delegate-missing',
    what: 'netcoredbg, the debugger for .NET, cannot be started.',
    why,
    remedy:
      'Unpack it from https://github.com/Samsung/netcoredbg/releases and put it on PATH; in Neovim install it with ":MasonInstall netcoredbg"; or name its program in "debugAdapter": { "command": ["…/netcoredbg"] }.',
  });
}
