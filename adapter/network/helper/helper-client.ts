/**
 * Starts the privileged helper and talks to it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Server, Socket } from 'node:net';
import { type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { rpcOver } from '../../rpc.ts';
import type { HostsEntry } from '../hosts/hosts-file.ts';
import { hostsFilePath, systemHostsFile } from '../hosts/hosts-writer.ts';
import type { ShadowedName } from '../hosts/user-entries.ts';
import { openMeetingPlace } from './helper-meeting.ts';
import {
  encodeArgument,
  type HelperMethod,
  helperVersion,
  hostsChangeSchema,
  welcomeSchema,
} from './helper-protocol.ts';

/** A running helper. Disposing ends it; everything it did is undone then. */
export interface PrivilegedHelper extends AsyncDisposable {
  /** The helper's own process id. */
  readonly pid: number;
  /** Whether the hosts file can be written, before anything depends on it. Problem hosts-unwritable, helper-failed. */
  checkHosts(signal: AbortSignal): Promise<void>;
  /** Maps the names, in place of what this session mapped before; returns those that lines of the user's map too. Problem hosts-unwritable, helper-failed. */
  setHosts(session: string, lines: readonly HostsEntry[], signal: AbortSignal): Promise<readonly ShadowedName[]>;
  /** Removes a session's names, also those that a killed helper left. Problem hosts-unwritable, helper-failed. */
  clearHosts(session: string, signal: AbortSignal): Promise<void>;
  /** Resolves when the helper is gone, for whatever reason. */
  readonly closed: Promise<void>;
}

export interface HelperOptions {
  readonly log: Log;
  /** How this program is started, absolute paths; `helper ARGUMENT` is appended. */
  readonly command: readonly string[];
  /** For tests: another file than the system's, written without privileges. Default: the environment's KUBERNETES_LOCAL_HOSTS_FILE. */
  readonly hostsFile?: string;
  readonly signal: AbortSignal;
}

/** Time to start a program and connect on a busy computer. */
const startMilliseconds = 20_000;
/** Time to undo; the helper tries again some times. */
const endMilliseconds = 15_000;

/**
 * Starts the helper: directly for root (or for a test's hosts file), else through `sudo -n`, which never asks.
 * Problems privileges-needed, helper-failed.
 */
export async function startHelper(options: HelperOptions): Promise<PrivilegedHelper> {
  const uid = process.getuid?.();
  if (uid === undefined)
    throw privilegesNeeded(options.command, 'The privileged helper does not run on this system yet.');
  const file = options.hostsFile ?? hostsFilePath();
  const isSystems = file === systemHostsFile();
  await using meeting = await openMeetingPlace();
  const argument = encodeArgument({
    version: helperVersion,
    directory: meeting.directory,
    uid,
    ...(isSystems ? {} : { hostsFile: file }),
  });
  const command = [...(uid === 0 || !isSystems ? [] : ['sudo', '-n', '--']), ...options.command, 'helper', argument];
  options.log.write('debug', 'starting the privileged helper', { command });
  const helper = new HelperProcess(command, options);
  const deadline = AbortSignal.timeout(startMilliseconds);
  const signal = AbortSignal.any([options.signal, deadline]);
  try {
    const socket = await accept(meeting.server, helper, signal);
    const connection = new HelperConnection(socket, helper, options.log);
    await connection.hello(meeting.token, signal);
    return connection;
  } catch (error) {
    helper.kill();
    if (deadline.aborted && !options.signal.aborted) {
      throw helperFailed(`It did not answer within ${startMilliseconds / 1000} seconds.`, error);
    }
    throw error;
  }
}

/** The child process: its standard error goes to the log, the last of it into the problem if it fails. */
class HelperProcess {
  /** Resolves when it has ended or could not be started. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #command: readonly string[];
  #said = '';
  #failure: Error | undefined;

  constructor(command: readonly string[], options: HelperOptions) {
    const [program = '', ...args] = command;
    this.#command = options.command;
    // Its own session: it neither gets the signals of a terminal nor ends with the client's group.
    this.#child = spawn(program, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-2_000);
      options.log.write('info', 'the privileged helper says', { text: text.trimEnd() });
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      // Not once: a signal that root's process does not take is an error too.
      this.#child.on('error', (error) => {
        this.#failure ??= error;
        resolve();
      });
    });
  }

  /** Why it ended before it was wanted. */
  problem(): Problem {
    const said = this.#said.trim();
    const isMissing = this.#failure !== undefined && 'code' in this.#failure && this.#failure.code === 'ENOENT';
    if (this.#child.spawnfile === 'sudo' && (isMissing || /^sudo:/m.test(said))) {
      return privilegesNeeded(this.#command, isMissing ? 'There is no sudo here.' : said);
    }
    return helperFailed(said || this.#failure?.message || 'It ended without a word.', this.#failure);
  }

  kill(): void {
    this.#child.kill('SIGTERM');
  }
}

class HelperConnection implements PrivilegedHelper {
  readonly closed: Promise<void>;
  readonly #process: HelperProcess;
  readonly #socket: Socket;
  readonly #connection: MessageConnection;
  #pid = 0;

  constructor(socket: Socket, process: HelperProcess, log: Log) {
    this.#socket = socket;
    this.#process = process;
    this.#connection = rpcOver(socket);
    this.#connection.onError(([error]) => log.write('debug', 'the channel to the privileged helper failed', { error }));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        // Rejects the requests under way.
        this.#connection.dispose();
        resolve();
      });
    });
    this.#connection.listen();
  }

  get pid(): number {
    return this.#pid;
  }

  /** Shows the token. Problem helper-failed if the helper is of another version. */
  async hello(token: string, signal: AbortSignal): Promise<void> {
    const welcome = welcomeSchema.parse(await this.#ask('hello', { version: helperVersion, token }, signal));
    this.#pid = welcome.pid;
  }

  async checkHosts(signal: AbortSignal): Promise<void> {
    await this.#ask('checkHosts', {}, signal);
  }

  async setHosts(session: string, lines: readonly HostsEntry[], signal: AbortSignal): Promise<readonly ShadowedName[]> {
    const copy = lines.map(({ address, names }) => ({ address, names: [...names] }));
    return hostsChangeSchema.parse(await this.#ask('setHosts', { session, lines: copy }, signal)).shadowed;
  }

  async clearHosts(session: string, signal: AbortSignal): Promise<void> {
    await this.#ask('clearHosts', { session }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.end();
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, endMilliseconds);
    await Promise.race([this.#process.ended, patience.promise]);
    clearTimeout(timer);
    this.#process.kill();
    this.#socket.destroy();
  }

  async #ask(method: HelperMethod, parameters: object, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([this.#connection.sendRequest<unknown>(method, parameters), aborted.promise]);
    } catch (error) {
      if (error instanceof ResponseError && Problem.isData(error.data)) throw new Problem(error.data, { cause: error });
      if (signal.aborted) throw error;
      throw helperFailed('It is gone.', error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

/** The helper's connection, or the reason why there is none. */
function accept(server: Server, helper: HelperProcess, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    server.once('connection', (socket) => {
      signal.removeEventListener('abort', abort);
      resolve(socket);
    });
    void helper.ended.then(() => reject(helper.problem()));
  });
}

function privilegesNeeded(command: readonly string[], why: string): Problem {
  return new Problem({
    code: 'privileges-needed',
    what: 'Writing the hosts file needs privileges that this user does not have.',
    why,
    remedy: `Run kubernetes-local as root (in a container, for instance), or let sudo run "${command.join(' ')} helper *" without a password; the latter only if you cannot write to these files yourself, because whoever can is root by it.`,
  });
}

function helperFailed(why: string, cause: unknown): Problem {
  return new Problem(
    {
      code: 'helper-failed',
      what: 'The privileged helper failed.',
      why,
      remedy: 'The log file says more; please report it with that file.',
    },
    { cause },
  );
}
