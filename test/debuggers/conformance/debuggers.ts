/** The real debuggers: how to start each with its program, directly and through us, and what it can do. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RealDebuggers, realDebuggers } from '../install.ts';
import type { Reach } from './direct.ts';
import type { Script } from './session.ts';
import type { RunToRun } from './trace.ts';

export const greeting = 'from the cluster';

export interface Debugged {
  readonly script: Script;
  /** The `delegate`, without environment variables. */
  readonly delegate: Readonly<Record<string, unknown>> & { readonly type: string };
  /** Given to us where another one would be found. */
  readonly command?: readonly string[];
  readonly direct: {
    readonly argv: readonly string[];
    readonly reach: Reach;
    readonly adapterID: string;
    /** Where it takes environment variables. */
    readonly environment: Readonly<Record<string, unknown>> | 'its own process';
  };
  /** It is the program's process: there only after `launch`, and gone with the program without a word. */
  readonly isProgram?: true;
  /** It can restart the program itself. */
  readonly restarts: boolean;
  readonly runToRun: RunToRun;
  /** Variables of the debug adapter's process. */
  readonly environment: NodeJS.ProcessEnv;
}

const sources = fileURLToPath(new URL('programs', import.meta.url));
// Debian's programs come first: another Python may have no debugpy, another Go may not suit Delve.
export const environment: NodeJS.ProcessEnv = { ...process.env, PATH: `/usr/bin:${process.env.PATH}`, VIRTUAL_ENV: '' };
const env = { GREETING: greeting };

/** lldb-dap may be gone before it tells how the program ended that it has killed. */
const lastOfKilled = [/exited with status = 9/, /"exitCode":9/];

/** Commands that let the program go on. */
const resuming = ['continue', 'next', 'stepIn', 'stepOut'];

export const names = [
  'debugpy',
  'js-debug',
  'dlv',
  'lldb-dap 19',
  'lldb-dap 22',
  'CodeLLDB',
  'cdt-gdb-adapter',
  'rdbg',
] as const;
export type Name = (typeof names)[number];

/** `folder`: for compiled programs. */
export async function debugged(name: Name, folder: string): Promise<Debugged> {
  const real = await realDebuggers();
  return makers[name](real, folder);
}

const makers: Readonly<Record<Name, (real: RealDebuggers, folder: string) => Debugged>> = {
  debugpy: ({ adapters }) => {
    const source = join(sources, 'program.py');
    return {
      script: {
        source,
        condition: 'count == 2',
        log: { message: 'so far {paid}', printed: 'so far 24' },
        functionBreakpoint: 'farewell',
        filters: ['raised'],
        throws: 'exception',
        expression: 'unit * 100 + count',
        setsVariables: true,
      },
      delegate: { type: 'debugpy', request: 'launch', program: source, console: 'internalConsole', subProcess: false },
      direct: { argv: adapters.debugpy, reach: { by: 'stdio' }, adapterID: 'debugpy', environment: { env } },
      runToRun: {
        // The pid.
        numbers: ['systemProcessId'],
        // They are told when somebody asks for the stack, which several of its threads do.
        apart: ['module'],
      },
      restarts: false,
      environment,
    };
  },
  'js-debug': ({ adapters, node }) => {
    const source = join(sources, 'program.cjs');
    return {
      script: {
        source,
        condition: 'count == 2',
        log: { message: 'so far {paid}', printed: 'so far 24' },
        filters: ['all'],
        throws: 'exception',
        expression: 'unit * 100 + count',
        setsVariables: true,
      },
      delegate: { type: 'pwa-node', request: 'launch', program: source, runtimeExecutable: node },
      direct: {
        argv: [...adapters.jsDebug, '{socket}'],
        reach: { by: 'socket', ready: /^Debug server listening at .*$/m, stays: true },
        adapterID: 'pwa-node',
        environment: { env },
      },
      runToRun: {
        // The pid in names of sessions and threads.
        texts: [/(?<=program\.cjs \[)\d+/g],
        opaque: ['__pendingTargetId', '__kubernetesLocal'],
        // Each is announced when its content was read, of which many are under way at once.
        unordered: ['loadedSource'],
        // As above: what Node answers, what it tells, and where breakpoints are in what was read.
        apart: [...resuming, 'breakpoint'],
        // Statistics of itself after some seconds: only a session that takes so long, on a busy computer, has them.
        maybe: [/"output":"js-debug\/(?:cdp|dap)\/operation"/],
      },
      restarts: false,
      environment,
    };
  },
  dlv: ({ adapters, go }, folder) => {
    const source = join(sources, 'program.go');
    const program = join(folder, 'program-go');
    execFileSync(go.program, ['build', '-gcflags=all=-N -l', '-o', program, source], {
      env: { ...process.env, ...go.environment },
    });
    return {
      script: {
        source,
        condition: 'count == 2',
        log: { message: 'so far {paid}', printed: 'so far 24' },
        functionBreakpoint: 'main.farewell',
        filters: [],
        expression: 'unit * 100 + count',
        setsVariables: true,
      },
      delegate: { type: 'go', request: 'launch', mode: 'exec', program },
      direct: {
        argv: [...adapters.dlv, '--client-addr=127.0.0.1:{port}'],
        reach: { by: 'callback' },
        adapterID: 'go',
        environment: { env },
      },
      // The first thread's number, which is the pid.
      runToRun: { texts: [/(?<=\(Thread |Process )\d+/g] },
      restarts: false,
      // With one processor the numbers of Go's own goroutines do not depend on its scheduler.
      environment: { ...environment, ...go.environment, GOMAXPROCS: '1' },
    };
  },
  'lldb-dap 19': (real, folder) =>
    lldbDap(real.adapters.lldbDap19, real, folder, {
      apart: [...resuming, 'restart', 'continued'],
      // Only if reading symbols takes some time, and whether the client wants it or not.
      maybe: [...lastOfKilled, /"progressId"/],
    }),
  'lldb-dap 22': (real, folder) =>
    lldbDap(real.adapters.lldbDap22, real, folder, {
      apart: [...resuming, 'restart', 'continued', 'module'],
      unordered: ['breakpoint'],
      maybe: lastOfKilled,
    }),
  CodeLLDB: (real, folder) => {
    const source = join(sources, 'program.c');
    return {
      script: { ...native(source), filters: ['cpp_throw'], throws: 'breakpoint' },
      delegate: { type: 'codelldb', request: 'launch', program: compiled(real, folder) },
      direct: { argv: real.adapters.codelldb, reach: { by: 'stdio' }, adapterID: 'lldb', environment: { env } },
      runToRun: {
        // The pid, which is the first thread's number too.
        numbers: ['threadId', 'threads[].id'],
        texts: [/(?<=process |tid=)\d+/g],
        // After a restart LLDB tells of the dynamic linker again, or does not: 2 of 24 runs did.
        maybe: [/"name":"ld-linux-/],
      },
      restarts: true,
      environment,
    };
  },
  'cdt-gdb-adapter': (real, folder) => {
    const source = join(sources, 'program.c');
    return {
      // It prints the message as it stands.
      script: { ...native(source), log: { message: 'so far {paid}', printed: 'so far {paid}' }, filters: [] },
      delegate: { type: 'cdt-gdb', request: 'launch', program: compiled(real, folder), gdb: real.gdb },
      direct: {
        argv: real.adapters.cdtGdb,
        reach: { by: 'stdio' },
        adapterID: 'gdb',
        environment: { environment: env },
      },
      runToRun: {
        // The pid.
        texts: [/(?<=\(process )\d+/g],
        // It answers when GDB has answered, and tells events as they come from GDB.
        apart: [...resuming, 'configurationDone'],
      },
      restarts: false,
      environment,
    };
  },
  rdbg: ({ adapters }) => {
    const source = join(sources, 'program.rb');
    return {
      script: {
        source,
        condition: 'count == 2',
        filters: ['RuntimeError'],
        throws: 'exception',
        expression: 'unit * 100 + count',
        setsVariables: false,
      },
      delegate: { type: 'rdbg', request: 'launch', script: source },
      direct: {
        argv: [...adapters.rdbg, '--open', '--stop-at-load', '--sock-path={socket}', '--command', '--', 'ruby', source],
        reach: { by: 'socket', ready: /wait for debugger connection.*$/m },
        adapterID: 'rdbg',
        environment: 'its own process',
      },
      runToRun: {
        // Addresses of Ruby's objects.
        texts: [/\b0x[0-9a-f]{16}\b/g],
        // It ends with its program, with its last answer or without.
        maybe: [/"command":"disconnect"/],
        // Said at the connection, for whoever hears it already.
        maybePrinted: [/^DEBUGGER: Connected\.\n/],
        // One thread answers, another one is stopped.
        apart: resuming,
      },
      restarts: false,
      isProgram: true,
      environment: { ...environment, RUBY_DEBUG_LOG_LEVEL: 'WARN' },
    };
  },
};

function lldbDap(argv: readonly string[], real: RealDebuggers, folder: string, threads: RunToRun): Debugged {
  const source = join(sources, 'program.c');
  return {
    script: { ...native(source), filters: ['cpp_throw'], throws: 'exception' },
    delegate: { type: 'lldb-dap', request: 'launch', program: compiled(real, folder) },
    command: argv,
    direct: { argv, reach: { by: 'stdio' }, adapterID: 'lldb-dap', environment: { env: [`GREETING=${greeting}`] } },
    // The pid, which is the first thread's number too; and how long everything took, in the statistics of the end.
    runToRun: {
      numbers: ['systemProcessId', 'threadId', 'threads[].id'],
      texts: [/(?<=[Pp]rocess )\d+/g],
      opaque: ['$__lldb_statistics', 'statistics'],
      // Requests are answered by one thread, and another one tells what happens.
      ...threads,
    },
    restarts: true,
    environment,
  };
}

function native(source: string): Omit<Script, 'filters' | 'throws'> {
  return {
    source,
    condition: 'count == 2',
    log: { message: 'so far {paid}', printed: 'so far 24' },
    functionBreakpoint: 'farewell',
    expression: 'unit * 100 + count',
    setsVariables: true,
  };
}

function compiled({ gcc }: RealDebuggers, folder: string): string {
  const program = join(folder, 'program-c');
  execFileSync(gcc, ['-g', '-O0', '-o', program, join(sources, 'program.c')]);
  return program;
}
