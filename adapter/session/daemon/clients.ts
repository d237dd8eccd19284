/** The daemon's clients: their socket, their trust, their requests and what is told to all of them. */
import { timingSafeEqual } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { MessageConnection, NotificationType } from 'vscode-jsonrpc/node';
import type { Diagnosis } from '../../diagnostics/diagnosis.ts';
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { rpcOver } from '../../rpc.ts';
import { diagnosisRequest, type LogText, logsRequest } from '../diagnosis.ts';
import {
  askRequest,
  type ConnectAnswer,
  type Connection,
  type ConnectRequest,
  connectRequest,
  connectRequestSchema,
  type Ending,
  endedNotification,
  goodbyeRequest,
  helloRequest,
  helloSchema,
  type Leave,
  leaveRequest,
  leaveSchema,
  processNotification,
  processSchema,
  type Release,
  type Released,
  type ReportedProcess,
  releaseRequest,
  releaseSchema,
  type Status,
  sessionProtocolVersion,
  standingRequest,
  statusRequest,
  toResponseError,
} from '../protocol.ts';
import type { Question } from '../questions/ask.ts';
import { Guard } from './guard.ts';

/** A client that does not read must not keep a finished daemon alive. */
const goodbyeMilliseconds = 500;
/** Longer than a debug adapter takes to end its processes when the session is over. */
const farewellMilliseconds = 10_000;

/** One client, for as long as its socket lives. */
export interface Client {
  pid: number;
  /** A client that only asks for the status keeps no session alive. */
  joined: boolean;
  readonly guard: Guard;
}

export interface ClientsOptions {
  readonly token: string;
  readonly log: Log;
  connect(client: Client, request: ConnectRequest): Promise<ConnectAnswer>;
  leave(client: Client, leave: Leave): Promise<Ending>;
  /** Ends a session that stands without a client. */
  release(release: Release): Released;
  status(): Status | Promise<Status>;
  standing(): Connection | undefined;
  diagnosis(): Promise<Diagnosis>;
  logs(): readonly LogText[];
  processStarted(process: ReportedProcess): void;
  /** A client that had joined lost its socket without leaving. */
  vanished(): void;
}

export class Clients {
  readonly #options: ClientsOptions;
  readonly #server: Server;
  readonly #connections = new Map<Client, MessageConnection>();
  readonly #answers = new Set<Promise<unknown>>();
  /** Resolved by the last word of a client that left. */
  readonly #goodbyes = new Map<Client, PromiseWithResolvers<void>>();
  /** The ends of the processes of killed clients. */
  readonly #ends = new Set<Promise<void>>();
  readonly #hurry = Promise.withResolvers<void>();
  #closing = false;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Resolves when clients can connect at this Unix socket or named pipe. */
  async listen(path: string): Promise<void> {
    if (process.platform !== 'win32') rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, resolve);
    });
    if (process.platform !== 'win32') chmodSync(path, 0o600);
  }

  /** The clients that hold the session. */
  get joined(): readonly Client[] {
    return [...this.#connections.keys()].filter((client) => client.joined);
  }

  /** Sends a question to this client. Rejects if it is gone or does not know the question. */
  ask(client: Client, question: Question): Promise<unknown> {
    const connection = this.#connections.get(client);
    if (connection === undefined) return Promise.reject(new Error('the client is gone'));
    return connection.sendRequest(askRequest, question);
  }

  /** Tells something to every client. One that is just going, as after a look at the status, does not hear it. */
  tell<T>(type: NotificationType<T>, value: T): void {
    for (const connection of this.#connections.values()) {
      connection.sendNotification(type.method, value).catch((error: unknown) => {
        this.#options.log.write('debug', 'a client did not hear', { about: type.method, error });
      });
    }
  }

  /**
   * Resolves when no process is left of the clients that were killed, and those that left have ended theirs themselves:
   * they are waited for, in case they are killed too, unless they take long or `hurry` was called.
   */
  async farewells(): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, farewellMilliseconds);
    const goodbyes = Promise.all([...this.#goodbyes.values()].map(({ promise }) => promise));
    await Promise.race([goodbyes, patience.promise, this.#hurry.promise]);
    clearTimeout(timer);
    await Promise.all(this.#ends);
  }

  /** Somebody waits for the end. */
  hurry(): void {
    this.#hurry.resolve();
  }

  /** Lets the answers under way go out, says goodbye and closes. Writes are queued, so the goodbye comes after them. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#server.close();
    await Promise.allSettled(this.#answers);
    await new Promise((resolve) => setImmediate(resolve));
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, goodbyeMilliseconds);
    const farewells = [...this.#connections.values()].map((each) => each.sendNotification(endedNotification));
    await Promise.race([Promise.allSettled(farewells), patience.promise]);
    clearTimeout(timer);
    for (const connection of this.#connections.values()) connection.end();
  }

  #accept(socket: Socket): void {
    const { log } = this.#options;
    const connection = rpcOver(socket);
    const client: Client = { pid: 0, joined: false, guard: new Guard(log) };
    connection.onRequest(helloRequest, (value) => {
      try {
        this.#greet(value);
      } catch (error) {
        // Messages are written one after the other: when this one is out, so is the answer.
        setImmediate(() => {
          const farewell = connection.sendNotification(endedNotification);
          void farewell.catch(() => {}).finally(() => socket.end());
        });
        throw toResponseError(error);
      }
      this.#connections.set(client, connection);
      return null;
    });
    const answer = <T>(make: () => Promise<T>): Promise<T> => this.#answer(client, make);
    connection.onRequest(connectRequest, (value) =>
      answer(() => this.#options.connect(client, connectRequestSchema.parse(value))),
    );
    connection.onRequest(leaveRequest, (value) =>
      answer(() => {
        if (!this.#goodbyes.has(client)) this.#goodbyes.set(client, Promise.withResolvers());
        return this.#options.leave(client, leaveSchema.parse(value));
      }),
    );
    connection.onRequest(goodbyeRequest, () => answer(async () => this.#goodbye(client)));
    connection.onRequest(releaseRequest, (value) =>
      answer(async () => this.#options.release(releaseSchema.parse(value))),
    );
    connection.onRequest(statusRequest, () => answer(async () => this.#options.status()));
    connection.onRequest(standingRequest, () => answer(async () => this.#options.standing() ?? null));
    connection.onRequest(diagnosisRequest, () => answer(() => this.#options.diagnosis()));
    connection.onRequest(logsRequest, () => answer(async () => [...this.#options.logs()]));
    connection.onNotification(processNotification, (value) => {
      const started = processSchema.safeParse(value);
      if (!this.#connections.has(client) || !started.success) return;
      client.guard.started(started.data);
      this.#options.processStarted(started.data);
    });
    connection.onClose(() => {
      this.#connections.delete(client);
      connection.dispose();
      // One that said goodbye has ended its processes, and one that we hang up on will.
      if (!this.#closing) this.#endProcesses(client);
      this.#goodbyes.get(client)?.resolve();
      if (!client.joined) return;
      client.joined = false;
      log.write('info', 'a client went away without leaving', { client: client.pid });
      this.#options.vanished();
    });
    connection.onError(([error]) => log.write('debug', 'a client connection failed', { error }));
    socket.on('error', (error) => log.write('debug', 'a client socket failed', { error }));
    connection.listen();
  }

  #goodbye(client: Client): null {
    client.guard.forget();
    this.#goodbyes.get(client)?.resolve();
    return null;
  }

  #endProcesses(client: Client): void {
    const end = client.guard
      .end()
      .catch((error: unknown) => {
        this.#options.log.write('error', 'the processes of a killed client could not be ended', { error });
      })
      .finally(() => this.#ends.delete(end));
    this.#ends.add(end);
  }

  /** Who does not know the token, or speaks another version, gets no further. */
  #greet(value: unknown): void {
    const hello = helloSchema.parse(value);
    const [given, expected] = [Buffer.from(hello.token), Buffer.from(this.#options.token)];
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new Error('wrong token');
    if (hello.version === sessionProtocolVersion) return;
    throw new Problem({
      code: 'daemon-failed',
      what: 'The running session belongs to another version of kubernetes-local.',
      why: `It speaks version ${sessionProtocolVersion}, this program ${hello.version}.`,
      remedy: 'End the other debug session first.',
    });
  }

  async #answer<T>(client: Client, make: () => Promise<T>): Promise<T> {
    if (!this.#connections.has(client)) throw toResponseError(new Error('say hello first'));
    const answer = make();
    this.#answers.add(answer);
    try {
      return await answer;
    } catch (error) {
      this.#options.log.write('warn', 'a request of a client failed', { error });
      throw toResponseError(error);
    } finally {
      this.#answers.delete(answer);
    }
  }
}
