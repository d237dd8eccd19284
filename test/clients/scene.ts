/** What the emulated clients debug: a program in Python or JavaScript, with the debug adapter but without a cluster. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realDebuggers } from '../debuggers/install.ts';
import type { Scene } from './client.ts';

const served = fileURLToPath(new URL('../debuggers/served.ts', import.meta.url));
const programs = {
  debugpy: { path: fileURLToPath(new URL('programs/greeting.py', import.meta.url)), line: 6 },
  node: { path: fileURLToPath(new URL('programs/greeting.mjs', import.meta.url)), line: 2 },
};
const { python, adapters } = await realDebuggers();

export type DebuggerType = keyof typeof programs;

interface Changes {
  /** How long connecting takes, in ms. */
  readonly connect?: number;
  /** How long the undo takes, in ms. */
  readonly undo?: number;
  /** Keys of `delegate`. */
  readonly delegate?: object;
  readonly noDebug?: boolean;
}

/** What the debug adapter and the programs that it starts inherit. */
const environment = {
  ...process.env,
  // Another Python may come first on PATH, without debugpy.
  PATH: `${dirname(python)}${delimiter}${process.env.PATH}`,
  VIRTUAL_ENV: '',
  KUBERNETES_LOCAL_JS_DEBUG: adapters.jsDebug[1],
};

const newJournal = () => join(mkdtempSync(join(tmpdir(), 'kubernetes-local-test-')), 'journal');

/** The program of a type of debugger. */
export const programOf = (type: DebuggerType) => programs[type];

/** What a client starts where it would start `kubernetes-local dap …`. */
export function commandOf(command: readonly string[]): Pick<Scene, 'command' | 'environment' | 'journal'> {
  const [program, name, ...options] = command;
  if (program !== 'kubernetes-local' || name !== 'dap') throw new Error(`${command.join(' ')} is no debug adapter.`);
  const journal = newJournal();
  return { command: [process.execPath, served, ...options, '--journal', journal], environment, journal };
}

/** A launch configuration of a user, with the command that a client starts for it. */
export function sceneOf(type: DebuggerType, command: readonly string[], configuration: Scene['configuration']): Scene {
  return { ...commandOf(command), configuration, breakpoint: programs[type] };
}

export function sceneWith(type: DebuggerType, { connect = 0, undo = 0, delegate, noDebug }: Changes = {}): Scene {
  const journal = newJournal();
  const options = ['--delegate', type, '--connect', String(connect), '--undo', String(undo), '--journal', journal];
  const { path, line } = programs[type];
  // debugpy would attach to further processes; the program has none.
  const usual = { program: path, console: 'internalConsole', ...(type === 'debugpy' && { subProcess: false }) };
  return {
    command: [process.execPath, served, ...options],
    environment,
    configuration: {
      type: 'kubernetes-local',
      request: 'launch',
      name: 'greeting',
      target: 'cart',
      ...(noDebug === true && { noDebug }),
      delegate: { type, request: 'launch', ...usual, ...delegate },
    },
    breakpoint: { path, line },
    journal,
  };
}
