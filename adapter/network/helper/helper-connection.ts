/** The client's side of a running helper: its methods, and its end. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { rpcOver } from '../../rpc.ts';
import type { HostsEntry } from '../hosts/hosts-file.ts';
import type { ShadowedName } from '../hosts/user-entries.ts';
import { platformCommands } from '../platform/platform-commands.ts';
import type { ElevatedProcess } from './elevated-process.ts';
import type { Elevation } from './elevation.ts';
import type { MeetingPlace } from './helper-meeting.ts';
import {
  type HelperMethod,
  helperVersion,
  hostsChangeSchema,
  longestMessage,
  systemErrorSchema,
  welcomeSchema,
} from './helper-protocol.ts';
import { RelayedPorts } from './relayed-ports.ts';

/** A running helper. Disposing ends it; everything it did is undone then. It ends by itself when it is not needed for five minutes. */
export interface PrivilegedHelper extends AsyncDisposable {
  /** The helper's own process id. */
  readonly pid: number;
  /** How it got its privileges. */
  readonly elevation: Elevation;
  /** Whether the hosts file can be written, before anything depends on it. Problem hosts-unwritable, helper-failed. */
  checkHosts(signal: AbortSignal): Promise<void>;
  /** Maps the names, in place of what this session mapped before; returns those that lines of the user's map too. Problem hosts-unwritable, helper-failed. */
  setHosts(session: string, lines: readonly HostsEntry[], signal: AbortSignal): Promise<readonly ShadowedName[]>;
  /** Removes a session's names, also those that a killed helper left. Problem hosts-unwritable, helper-failed. */
  clearHosts(session: string, signal: AbortSignal): Promise<void>;
  /**
   * Listens where this user may not, on an address of 127.64.0.0/10, and joins each connection to a stream of `dial`, half-close
   * and reset carried over. Rejects with the system's error, such as EADDRINUSE; Problem helper-failed. Disposing
   * stops listening and resets the open connections.
   */
  listen(options: HelperListenOptions): Promise<AsyncDisposable>;
  /**
   * Brings exactly these addresses of 127.64.0.0/10 to life, in place of those before, where they are not there by themselves
   * (macOS); elsewhere nothing. Problem privileges-needed, helper-failed.
   */
  setAddresses(addresses: readonly string[], signal: AbortSignal): Promise<void>;
  /** Resolves when the helper is gone, for whatever reason. */
  readonly closed: Promise<void>;
}

/** As names/service-listeners.ts asks for it. */
interface HelperListenOptions {
  readonly address: string;
  readonly port: number;
  /** Default TCP. For UDP `dial` gives streams of frames as in agent/datagrams.ts, one for each source. */
  readonly protocol?: 'TCP' | 'UDP';
  dial(): Duplex;
  /** A single connection failed. */
  onError(error: Error): void;
  readonly signal: AbortSignal;
}

/** Time to undo; the helper tries again some times. */
const endMilliseconds = 15_000;

export interface HelperConnectionOptions {
  readonly socket: Socket;
  readonly process: ElevatedProcess;
  readonly elevation: Elevation;
  /** Is disposed with the connection. */
  readonly meeting: MeetingPlace;
  readonly log: Log;
}

export class HelperConnection implements PrivilegedHelper {
  readonly closed: Promise<void>;
  readonly elevation: Elevation;
  readonly #process: ElevatedProcess;
  readonly #socket: Socket;
  readonly #connection: MessageConnection;
  readonly #ports: RelayedPorts;
  readonly #log: Log;
  #pid = 0;

  constructor({ socket, process, elevation, meeting, log }: HelperConnectionOptions) {
    this.elevation = elevation;
    this.#socket = socket;
    this.#process = process;
    this.#log = log;
    this.#ports = new RelayedPorts(meeting.relays, meeting.token);
    this.#connection = rpcOver(socket);
    this.#connection.onError(([error]) => log.write('debug', 'the channel to the privileged helper failed', { error }));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        // Rejects the requests under way.
        this.#connection.dispose();
        this.#ports.close();
        void meeting[Symbol.asyncDispose]()
          .catch((error: unknown) => log.write('warn', 'the meeting place could not be removed', { error }))
          .then(resolve);
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
    const parameters = { session, lines: lines.map(({ address, names }) => ({ address, names: [...names] })) };
    // With room for what JSON-RPC puts around it; the helper would only hang up.
    if (Buffer.byteLength(JSON.stringify(parameters)) > longestMessage - 1_000) throw tooMany(lines.length);
    return hostsChangeSchema.parse(await this.#ask('setHosts', parameters, signal)).shadowed;
  }

  async clearHosts(session: string, signal: AbortSignal): Promise<void> {
    await this.#ask('clearHosts', { session }, signal);
  }

  async listen({
    address,
    port,
    protocol = 'TCP',
    dial,
    onError,
    signal,
  }: HelperListenOptions): Promise<AsyncDisposable> {
    const listener = randomUUID();
    this.#ports.add(listener, { dial, onError });
    try {
      await this.#ask('listen', { listener, address, port, protocol }, signal);
    } catch (error) {
      this.#ports.remove(listener);
      // It may have listened nevertheless, if only we gave up waiting for it.
      if (signal.aborted) void this.#unlisten(listener);
      throw error;
    }
    return {
      [Symbol.asyncDispose]: async () => {
        await this.#unlisten(listener);
        this.#ports.remove(listener);
      },
    };
  }

  async setAddresses(addresses: readonly string[], signal: AbortSignal): Promise<void> {
    if (platformCommands().aliases === undefined) return;
    await this.#ask('setAddresses', { addresses: [...addresses] }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.end();
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, endMilliseconds);
    await Promise.race([this.#process.ended, patience.promise]);
    clearTimeout(timer);
    this.#process.kill();
    this.#socket.destroy();
    await this.closed;
  }

  /** A helper that is gone listens no more. */
  async #unlisten(listener: string): Promise<void> {
    try {
      await this.#ask('unlisten', { listener }, new AbortController().signal);
    } catch (error) {
      this.#log.write('debug', 'a listener of the privileged helper could not be closed', { error });
    }
  }

  async #ask(method: HelperMethod, parameters: object, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([this.#connection.sendRequest<unknown>(method, parameters), aborted.promise]);
    } catch (error) {
      if (signal.aborted) throw error;
      throw whatItSaid(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

function whatItSaid(error: unknown): Error {
  if (error instanceof ResponseError) {
    if (Problem.isData(error.data)) return new Problem(error.data, { cause: error });
    const system = systemErrorSchema.safeParse(error.data);
    if (system.success)
      return Object.assign(new Error(error.message, { cause: error }), { code: system.data.systemError });
  }
  return helperFailed('It is gone.', error);
}

function tooMany(addresses: number): Problem {
  return new Problem({
    code: 'hosts-unwritable',
    what: 'The hosts file is not changed.',
    why: `${addresses} addresses with their names are more than it takes at once.`,
    remedy: 'Ask for fewer namespaces, or choose network mode "namespace".',
  });
}

/** The helper did not start, or is gone. */
export function helperFailed(why: string, cause: unknown): Problem {
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
