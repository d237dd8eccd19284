import { join } from 'node:path';
import { Command } from 'commander';
import { field } from '../dap/message.ts';
import { serve } from '../dap/proxy.ts';
import type { ConnectHooks, Keep, ProcessRole, Surroundings } from '../dap/surroundings.ts';
import { FileLog, type Log, silentLog } from '../diagnostics/log.ts';
import { parseLaunchConfiguration } from '../launch/configuration.ts';
import { Problem } from '../problem.ts';
import { SessionClient } from '../session/client.ts';
import { ReportedProcesses } from '../session/reported-processes.ts';
import { stateFolder } from '../session/state-folder.ts';
import { ownProgram } from './program.ts';
import { programEnvironment } from './program-environment.ts';
import { sessionRequest } from './session-request.ts';

/** `dap`: the debug adapter on standard input and output. */
export function dapCommand(): Command {
  return new Command('dap')
    .description('the debug adapter (launch type kubernetes-local) on standard input and output')
    .option('--delegate <type>', 'the real debug adapter, so that the IDE gets its capabilities at once: debugpy')
    .action(async ({ delegate }: { delegate?: string }) => {
      const log = openLog();
      const surroundings = new ClusterSurroundings(log);
      const code = await serve({
        input: process.stdin,
        output: process.stdout,
        surroundings,
        log,
        ...(delegate !== undefined && { delegate }),
      });
      await surroundings.close();
      process.exit(code);
    });
}

/** A state folder that cannot be used is an error of the launch, which the IDE can show; until then nothing is kept. */
function openLog(): Log {
  try {
    return new FileLog(join(stateFolder(), 'debug-adapter.log'), 'debug adapter');
  } catch {
    return silentLog;
  }
}

/** The cluster around a debug session: a session of the daemon. */
class ClusterSurroundings implements Surroundings {
  readonly #log: Log;
  readonly #abort = new AbortController();
  readonly #processes = new ReportedProcesses();
  #connecting: Promise<SessionClient> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  parse(args: unknown) {
    const configuration = parseLaunchConfiguration(args, 'the launch configuration');
    const { delegate, debugAdapter } = configuration;
    if (!delegate) {
      throw new Problem({
        code: 'missing-key',
        what: 'The launch configuration has no "delegate".',
        why: 'It says which real debugger runs the program.',
        remedy: 'Add for example "delegate": { "type": "debugpy", "program": "main.py" }.',
      });
    }
    const { type, request = 'launch', ...rest } = delegate;
    return {
      delegateType: type,
      request,
      delegateArguments: { type, request, ...rest, ...ofTheClient(args) },
      ...(debugAdapter !== undefined && { debugAdapter }),
    };
  }

  async connect(args: unknown, hooks: ConnectHooks, signal: AbortSignal) {
    const configuration = parseLaunchConfiguration(args, 'the launch configuration');
    const both = AbortSignal.any([signal, this.#abort.signal]);
    const startsProgram = configuration.delegate?.request !== 'attach';
    this.#connecting = (async () => {
      const { key, request } = sessionRequest(configuration, startsProgram, this.#log);
      return SessionClient.connect(
        key,
        request,
        ownProgram(),
        {
          progress: (text) => hooks.progress(text),
          notice: ({ level, text }) => hooks.notice(level, text),
          lost: (problem) => hooks.lost(problem),
        },
        both,
        this.#processes,
      );
    })();
    const { connection } = await this.#connecting;
    for (const variable of connection.environment) if (variable.secret) this.#log.redactor.add(variable.value);
    const ports = connection.ports.map((port) => `${port.containerPort} → 127.0.0.1:${port.localPort}`).join(', ');
    return {
      environment: programEnvironment(connection),
      summary: `Connected to ${connection.workload} (${connection.pods.length} pod${connection.pods.length === 1 ? '' : 's'}): port ${ports}; ${connection.services.length} Services by name.`,
    };
  }

  processStarted(pid: number, role: ProcessRole): void {
    this.#processes.started(pid, role);
  }

  async disconnect(budget: number, keep?: Keep): Promise<'undone' | 'finishing' | 'kept'> {
    const end = Date.now() + budget;
    this.#abort.abort();
    if (!this.#connecting) return 'undone';
    const session = await withinBudget(
      this.#connecting.catch(() => 'undone' as const),
      budget,
    );
    if (typeof session === 'string') return session;
    try {
      return await session.leave(Math.max(0, end - Date.now()), keep);
    } catch (error) {
      this.#log.write('warn', 'leaving the session failed', { error });
      return 'finishing';
    }
  }

  /** The last act: all processes of the debug session have ended, or live on by the user's wish. */
  async close(): Promise<void> {
    const session = await this.#connecting?.catch(() => undefined);
    await session?.close();
  }
}

/** What clients add to any launch, beside ours, and mean for the real debugger (DAP, "LaunchRequestArguments"). */
function ofTheClient(args: unknown): Record<string, unknown> {
  const restart = field(args, '__restart');
  return {
    ...(field(args, 'noDebug') === true && { noDebug: true }),
    ...(restart !== undefined && { __restart: restart }),
  };
}

async function withinBudget<T>(promise: Promise<T>, milliseconds: number): Promise<T | 'finishing'> {
  const over = Promise.withResolvers<'finishing'>();
  const timer = setTimeout(() => over.resolve('finishing'), milliseconds);
  return Promise.race([promise, over.promise]).finally(() => clearTimeout(timer));
}
