/** cdt-gdb-adapter, a debug adapter on top of GDB: https://github.com/eclipse-cdt-cloud/cdt-gdb-adapter (arguments: its README and src/types/session.ts). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../problem.ts';
import { environmentObject } from './environment.ts';
import { editorExtensions, nodePackage } from './places.ts';
import type { DebuggerProfile, DelegateArguments, DelegateCommand } from './profile.ts';
import { findProgram } from './program.ts';
import { commandOfUser, overStdio } from './settings.ts';

/** Where the debug adapter is in its package. */
const script = join('dist', 'debugAdapter.js');
const extension = 'eclipse-cdt.cdt-gdb-vscode';

export const cdtGdb: DebuggerProfile = {
  // "gdb" is its type in VS Code.
  types: ['cdt-gdb', 'gdb'],
  title: 'cdt-gdb-adapter',
  adapterID: 'gdb',
  startsAt: 'initialize',
  // As 1.7.0 answers.
  capabilities: {
    supportsConfigurationDoneRequest: true,
    supportsEvaluateForHovers: true,
    supportsSetVariable: true,
    supportsConditionalBreakpoints: true,
    supportsHitConditionalBreakpoints: true,
    supportsLogPoints: true,
    supportsFunctionBreakpoints: true,
    supportsDisassembleRequest: true,
    supportsReadMemoryRequest: true,
    supportsWriteMemoryRequest: true,
    supportsSteppingGranularity: true,
    supportsInstructionBreakpoints: true,
    supportsTerminateRequest: true,
    supportsDataBreakpoints: true,
    breakpointModes: [
      { label: 'Hardware Breakpoint', mode: 'hardware', appliesTo: ['source'] },
      { label: 'Software Breakpoint', mode: 'software', appliesTo: ['source'] },
    ],
  },

  environmentAt: () => 'launch',

  command({ args, debugAdapter }) {
    const own = commandOfUser(debugAdapter);
    if (own?.transport.kind === 'running') return own;
    const command = own ?? find(args);
    // It starts GDB only at `launch`, too late to tell before anything is done in the cluster.
    if (findProgram(gdbOf(args)) === undefined) throw withoutGdb(gdbOf(args));
    return command;
  },

  async check({ argv: [program, file], origin }) {
    if (program === undefined) return;
    // It has no option that only tells whether it works.
    if (findProgram(program) === undefined) throw missing(`There is no program ${program} (${origin}).`);
    if (file?.endsWith('.js') && !existsSync(file)) throw missing(`There is no file ${file} (${origin}).`);
  },

  request({ args }, environment, request) {
    if (request === 'attach') return { command: request, arguments: { ...args } };
    const gdb = findProgram(gdbOf(args)) ?? gdbOf(args);
    // GDB gets these variables too, and would be looked up on the PATH of the pod.
    return {
      command: request,
      arguments: { ...args, gdb, environment: environmentObject(args, environment, 'environment') },
    };
  },
};

function gdbOf({ gdb }: DelegateArguments): string {
  return typeof gdb === 'string' && gdb !== '' ? gdb : 'gdb';
}

function find(args: DelegateArguments): DelegateCommand {
  const name = 'cdt-gdb-adapter';
  const folders = [...(typeof args.cwd === 'string' ? [args.cwd] : []), process.cwd()];
  const installed = nodePackage(name, folders);
  if (installed !== undefined) {
    return { ...overStdio([process.execPath, join(installed, script)]), origin: 'node_modules' };
  }
  const global = findProgram('cdtDebugAdapter');
  if (global !== undefined) return { ...overStdio([global]), origin: 'cdtDebugAdapter on PATH' };
  const bundled = nodePackage(name, editorExtensions(extension));
  if (bundled !== undefined) {
    return { ...overStdio([process.execPath, join(bundled, script)]), origin: `extension ${extension}` };
  }
  throw missing('It is not in node_modules, not on PATH, and not an extension of an editor.');
}

function missing(why: string): Problem {
  return new Problem({
    code: 'delegate-missing',
    what: 'cdt-gdb-adapter, the debug adapter for GDB, cannot be started.',
    why,
    remedy: `Install it with "npm install --global cdt-gdb-adapter" or with "code --install-extension ${extension}"; or name it in "debugAdapter": { "command": ["node", "…/cdt-gdb-adapter/dist/debugAdapter.js"] }.`,
  });
}

function withoutGdb(gdb: string): Problem {
  return new Problem({
    code: 'delegate-missing',
    what: 'cdt-gdb-adapter is there, but GDB is not.',
    why: `There is no program ${gdb}.`,
    remedy: 'Install GDB, on Debian and Ubuntu with "apt-get install gdb", or name another in "gdb" of the delegate.',
  });
}
