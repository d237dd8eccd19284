import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { serve } from '../dap/proxy.ts';
import type { Place } from '../dap/server/listening.ts';
import { serveMany } from '../dap/server/server.ts';
import type { ConnectHooks, DiagnosticsBody, Keep, ProcessRole, Surroundings } from '../dap/surroundings.ts';
import { withMaskedValues } from '../dap/trace/content.ts';
import { TraceFile } from '../dap/trace/trace-file.ts';
import type { Log } from '../diagnostics/log.ts';
import { ProcessLog } from '../diagnostics/process-log.ts';
import type { Redactor } from '../diagnostics/redactor.ts';
import { parseLaunchConfiguration } from '../launch/configuration.ts';
import { Problem, type ProblemCode } from '../problem.ts';
import { SessionClient } from '../session/client/client.ts';
import { programVariables } from '../session/client/program-environment.ts';
import { ReportedProcesses } from '../session/client/reported-processes.ts';
import type { SessionChoice } from '../session/client/session-choice.ts';
import { sessionRequest } from '../session/client/session-request.ts';
import type { Connection } from '../session/protocol.ts';
import { windowQuestions } from '../session/questions/cancelled-question.ts';
import { logsFolder, sessionFiles } from '../session/state-folder.ts';
import { Step, type Timing } from '../session/timings.ts';
import { version } from '../version.ts';
import { within } from '../within.ts';
import { askThroughDap } from './ask-through-dap.ts';
import { takeReplayText } from './begun-replay.ts';
import { parseLaunchArguments } from './launch-arguments.ts';
import { ownDaemons } from './own-daemons.ts';
import { remedyInVscode } from './remedy-in-vscode.ts';
import { showLine } from './terminal.ts';
import { describeTiming } from './timings-view.ts';

interface Flags {
  readonly delegate?: string;
  readonly port?: number;
  readonly socket?: string;
  readonly stay?: true;
  readonly trace?: string;
  readonly inVscode?: true;
}

/** `dap [-- COMMAND…]`: the debug adapter, on standard input and output or as a server. */
export function dapCommand(): Command {
  return new Command('dap')
    .description('the debug adapter (launch type kubernetes-local) on standard input and output, or as a server')
    .option(
      '--delegate <type>',
      `the real debug adapter, so that the IDE gets its capabilities at once: debugpy, …`,
      parseText,
    )
    .option('--port <number>', 'serve at this port of 127.0.0.1; 0 is any free one', parsePort)
    .option('--socket <path>', 'serve at this Unix socket or named pipe', parseText)
    .option('--stay', 'go on serving when no session is left, until a signal')
    .option('--trace <file>', 'add all messages to this file, secrets masked', parseText)
    .addOption(new Option('--in-vscode', 'started by our extension, which shows questions and remedies').hideHelp())
    .argument('[command...]', 'the program and arguments that start the real debug adapter; put -- before it')
    .action(async (command: readonly string[], flags: Flags) => {
      process.exit(await dap(command, flags));
    });
}

async function dap(command: readonly string[], flags: Flags): Promise<number> {
  const { delegate, stay = false } = flags;
  const place = placeOf(flags);
  using log = openLog();
  using trace = flags.trace === undefined ? undefined : openTrace(flags.trace, command, flags, log);
  const open = () => {
    const own = openLog(log.redactor);
    const surroundings = new ClusterSurroundings(own);
    const options = {
      surroundings,
      log: own,
      ...(delegate !== undefined && { delegate }),
      ...(command.length > 0 && { debugAdapter: { command } }),
      ...(flags.inVscode && { extension: { remedy: (code: ProblemCode) => remedyInVscode(code, surroundings.place) } }),
      ...trace?.session(),
    };
    const close = async () => {
      await surroundings.close();
      own[Symbol.dispose]();
    };
    return { options, close };
  };
  if (place !== undefined) {
    const say = (line: string) => void process.stdout.write(`${line}\n`);
    return serveMany({ place, stay, log, open, say, warn: showLine });
  }
  // It loads while the client says what it wants to debug.
  ownDaemons.prepare();
  const { options, close } = open();
  const code = await serve({ ...options, input: process.stdin, output: process.stdout });
  await close();
  return code;
}

function placeOf({ port, socket, stay }: Flags): Place | undefined {
  if (port !== undefined && socket !== undefined) throw badArguments('--port and --socket exclude each other.');
  if (port !== undefined) return { port };
  if (socket !== undefined) return { path: socket };
  if (stay) throw badArguments('--stay is for --port and --socket.');
  return undefined;
}

function badArguments(what: string): Problem {
  return new Problem({ code: 'bad-arguments', what, why: '', remedy: 'Add --help for the options.' });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('It is a number from 0 to 65535.');
  return port;
}

/** A shell makes nothing of a variable that is not set. */
function parseText(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

function openTrace(path: string, command: readonly string[], flags: Flags, log: Log): TraceFile {
  const options = { ...flags, ...(command.length > 0 && { command: withMaskedValues(command) }) };
  return new TraceFile(
    path,
    { version, options },
    {
      redactor: log.redactor,
      failed: (why) => {
        log.write('warn', 'The trace has ended.', { path, why });
        showLine(`warning: The trace in ${path} has ended: ${why}`);
      },
    },
  );
}

/** Until its session is known; then it goes on in the log of that. */
function openLog(redactor?: Redactor): ProcessLog {
  return new ProcessLog('debug adapter', () => join(logsFolder(), 'debug-adapter.log'), redactor);
}

/** The cluster around a debug session: a session of the daemon. */
class ClusterSurroundings implements Surroundings {
  readonly #log: ProcessLog;
  readonly #abort = new AbortController();
  readonly #processes = new ReportedProcesses();
  #connecting: Promise<SessionClient> | undefined;
  #key: string | undefined;
  #place: SessionChoice = {};
  #problem: Problem | undefined;

  constructor(log: ProcessLog) {
    this.#log = log;
  }

  /** What the launch said of the cluster, once it came. */
  get place(): SessionChoice {
    return this.#place;
  }

  parse(args: unknown) {
    return parseLaunchArguments(args);
  }

  async connect(args: unknown, hooks: ConnectHooks, signal: AbortSignal) {
    const configuration = parseLaunchConfiguration(args, 'the launch configuration');
    const both = AbortSignal.any([signal, this.#abort.signal]);
    const { target, namespace, context, kubeconfig } = configuration;
    this.#place = { target, namespace, context, kubeconfig };
    const startsProgram = configuration.delegate?.request !== 'attach';
    const { key, request, choice, timings = false } = sessionRequest(configuration, startsProgram, this.#log);
    const step = new Step('connect');
    const show = (timing: Timing) => {
      const text = ['Where the time went:', ...describeTiming(timing)].join('\n');
      if (timings) hooks.notice('info', text);
    };
    const earlier = takeReplayText();
    if (earlier !== undefined) hooks.notice('info', earlier);
    const questions = windowQuestions(askThroughDap(hooks));
    this.#connecting = (async () => {
      this.#key = key;
      this.#log.moveTo(sessionFiles(key).log);
      return SessionClient.connect(
        key,
        request,
        ownDaemons,
        {
          progress: (text) => hooks.progress(text),
          notice: ({ level, text }) => hooks.notice(level, text),
          ask: questions.ask,
          step,
          timings: ({ of, timing }) => {
            if (of === 'disconnect') show({ ...timing, name: of });
          },
          lost: (problem) => hooks.lost(problem),
        },
        both,
        this.#processes,
      );
    })();
    const connected = this.#connecting.finally(() => {
      step.end();
      show(step.timing);
    });
    const { connection } = await connected.catch((error: unknown) => {
      this.#problem = Problem.from(error);
      throw questions.failure(error);
    });
    const { variables, notes } = programVariables(connection, choice);
    for (const { secret, value } of [...connection.environment, ...variables])
      if (secret) this.#log.redactor.add(value);
    for (const text of notes) hooks.notice('warning', text);
    const ports = connection.ports.map((port) => `${port.containerPort} → 127.0.0.1:${port.localPort}`).join(', ');
    const { guestOf } = connection;
    const requests = guestOf === undefined ? `port ${ports}` : `no requests, as a guest of ${guestOf}`;
    return {
      environment: Object.fromEntries(variables.map(({ name, value }) => [name, value])),
      ...(connection.network.place && { place: connection.network.place }),
      summary: `Connected to ${connection.workload} (${connection.pods.length} pod${connection.pods.length === 1 ? '' : 's'}): ${requests}; ${describeNames(connection)}`,
    };
  }

  async diagnose(format: DiagnosticsBody['format']): Promise<DiagnosticsBody> {
    // Only who asks has to wait for all of it to be loaded.
    const [{ diagnosisOf }, { describeDiagnosis }] = await Promise.all([
      import('./diagnosis-report.ts'),
      import('./diagnosis-view.ts'),
    ]);
    const question = { key: this.#key, place: this.#place, problem: this.#problem, log: this.#log };
    const diagnosis = await diagnosisOf(question, new AbortController().signal);
    if (format === 'json') return { format, diagnosis };
    return { format, text: describeDiagnosis(diagnosis, { width: 80, all: true }) };
  }

  processStarted(pid: number, role: ProcessRole): void {
    this.#processes.started(pid, role);
  }

  async disconnect(budget: number, keep?: Keep): Promise<'undone' | 'finishing' | 'kept'> {
    const end = performance.now() + budget;
    this.#abort.abort();
    if (!this.#connecting) return 'undone';
    const failed = () => 'undone' as const;
    const session = await within(budget, this.#connecting.catch(failed), 'finishing' as const);
    if (typeof session === 'string') return session;
    try {
      return await session.leave(Math.max(0, Math.round(end - performance.now())), keep);
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

function describeNames({ services, network }: Connection): string {
  return `${services.length} Services ${network.mode === 'env' ? 'by environment variables' : 'by name'} (network mode ${network.mode}).`;
}
