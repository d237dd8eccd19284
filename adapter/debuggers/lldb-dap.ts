/** lldb-dap, LLVM's debug adapter on top of LLDB: https://lldb.llvm.org/resources/lldbdap.html (arguments: its README, "Configuration Settings Reference"). */
import { join } from 'node:path';
import { Problem } from '../problem.ts';
import { environmentList } from './environment.ts';
import type { DebuggerProfile, DelegateCommand } from './profile.ts';
import { complaint, findProgram } from './program.ts';
import { commandOfUser, overStdio } from './settings.ts';
import { newestOnPath } from './versions.ts';

export const lldbDap: DebuggerProfile = {
  types: ['lldb-dap'],
  title: 'lldb-dap',
  adapterID: 'lldb-dap',
  startsAt: 'initialize',
  // What both 19.1.7 and 22.1.8 answer; 22 tells of some of it only after `launch`.
  capabilities: {
    completionTriggerCharacters: ['.', ' ', '\t'],
    exceptionBreakpointFilters: [
      { filter: 'cpp_catch', label: 'C++ Catch' },
      { filter: 'cpp_throw', label: 'C++ Throw' },
      { filter: 'objc_catch', label: 'Objective-C Catch' },
      { filter: 'objc_throw', label: 'Objective-C Throw' },
    ],
    supportTerminateDebuggee: true,
    supportsCompletionsRequest: true,
    supportsConditionalBreakpoints: true,
    supportsConfigurationDoneRequest: true,
    supportsDataBreakpoints: true,
    supportsDelayedStackTraceLoading: true,
    supportsDisassembleRequest: true,
    supportsEvaluateForHovers: true,
    supportsExceptionInfoRequest: true,
    supportsFunctionBreakpoints: true,
    supportsHitConditionalBreakpoints: true,
    supportsLogPoints: true,
    supportsModulesRequest: true,
    supportsRestartRequest: true,
    supportsSetVariable: true,
    supportsStepInTargetsRequest: true,
    supportsValueFormattingOptions: true,
  },

  environmentAt: () => 'launch',

  command({ debugAdapter }) {
    return commandOfUser(debugAdapter) ?? find();
  },

  async check(command, signal) {
    const [program, ...args] = command.argv;
    if (program === undefined) return;
    const reason = await complaint([program, ...args, '--help'], signal);
    if (reason === undefined) return;
    throw missing(`${program} (${command.origin}): ${reason}`);
  },

  request({ args }, environment, request) {
    if (request === 'attach') return { command: request, arguments: { ...args } };
    // 19 and older take an object without a word and ignore it; all take a list.
    return { command: request, arguments: { ...args, env: environmentList(args, environment) } };
  },
};

/** Until version 17 it was called lldb-vscode. */
const names = ['lldb-dap', 'lldb-vscode'] as const;

function find(): DelegateCommand {
  for (const name of names) {
    // The one without a version is somebody's choice.
    const program = findProgram(name) ?? newestOnPath(name);
    if (program !== undefined) return { ...overStdio([program]), origin: 'on PATH' };
  }
  for (const folder of usualFolders()) {
    const program = findProgram(join(folder, names[0]));
    if (program !== undefined) return { ...overStdio([program]), origin: folder };
  }
  // The one of Xcode; xcrun becomes it.
  if (process.platform === 'darwin') return { ...overStdio(['/usr/bin/xcrun', names[0]]), origin: 'Xcode' };
  throw missing('It is not on PATH, with or without a version in its name.');
}

/** Where installers put it that do not change PATH: Homebrew, and LLVM's own for Windows. */
function usualFolders(): readonly string[] {
  if (process.platform === 'darwin') return ['/opt/homebrew/opt/llvm/bin', '/usr/local/opt/llvm/bin'];
  if (process.platform === 'win32') return [join(process.env.ProgramFiles ?? 'C:\\Program Files', 'LLVM', 'bin')];
  return [];
}

function missing(why: string): Problem {
  return new Problem({
    code: 'delegate-missing',
    what: 'lldb-dap, the debugger for C, C++, Rust and Swift, cannot be started.',
    why,
    remedy: `Install it with ${installer()}, or name its program in "debugAdapter": { "command": ["…/lldb-dap"] }.`,
  });
}

function installer(): string {
  if (process.platform === 'darwin') return '"xcode-select --install" or "brew install llvm"';
  if (process.platform === 'win32') return '"winget install LLVM.LLVM"';
  return '"apt-get install lldb-19" (Debian, Ubuntu) or "dnf install lldb" (Fedora)';
}
