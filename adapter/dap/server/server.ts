/**
 * The debug adapter as a server: a debug session for each connection, one after another and at once. None of them knows
 * of the others, and the failure of one does not end them.
 */
import { createServer, type Socket } from 'node:net';
import type { Log } from '../../diagnostics/log.ts';
import type { ServeOptions } from '../options.ts';
import { serve } from '../proxy.ts';
import { Admission, type Peers, tcpPeers } from './admission.ts';
import { listenAt, type Place } from './listening.ts';

/** What one session is served with, and how it is closed after its end. */
interface OneSession {
  readonly options: Omit<ServeOptions, 'input' | 'output' | 'admit' | 'log'> & Partial<Pick<ServeOptions, 'log'>>;
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly place: Place;
  /** Whether it stays when no session is left, until a signal ends it. */
  readonly stay: boolean;
  readonly log: Log;
  open(): OneSession;
  /** A line for whoever started the server: the first one says where it listens. */
  say(line: string): void;
  /** Something that is wrong, but is no reason to end. */
  warn(line: string): void;
  /** Whose connection it is at a port; by the system, unless told otherwise. */
  readonly peers?: Peers;
  /** How long to wait for the first session, and for the next one when none is left, in ms. */
  readonly patience?: { readonly first: number; readonly next: number };
}

const usualPatience = { first: 60_000, next: 5_000 };
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Serves until the end: a signal, or without `stay` that no session is left. Resolves with the exit code: of the last
 * session that failed, else 0. Rejects with Problem listen-failed.
 */
export async function serveMany(options: ServerOptions): Promise<number> {
  const server = new DebugServer(options);
  return server.run();
}

class DebugServer {
  readonly #options: ServerOptions;
  readonly #patience: { readonly first: number; readonly next: number };
  readonly #peers: Peers;
  readonly #admission: Admission;
  readonly #sessions = new Set<Promise<void>>();
  readonly #over = Promise.withResolvers<void>();
  readonly #server = createServer(
    { noDelay: true, pauseOnConnect: true, allowHalfOpen: true },
    (socket) => void this.#connected(socket).catch((error: unknown) => this.#defect(error)),
  );
  #idle: NodeJS.Timeout | undefined;
  #closing = false;
  #served = false;
  #code = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#patience = options.patience ?? usualPatience;
    this.#peers = options.peers ?? tcpPeers;
    this.#admission = new Admission({
      tokenFromTheFirst: options.stay,
      say: (token) => options.say(`Token of the next session: ${token}`),
    });
  }

  async run(): Promise<number> {
    const { place, stay, say, log } = this.#options;
    const where = await listenAt(this.#server, place);
    this.#server.on('error', (error) => log.write('error', 'The server failed.', { error }));
    const end = () => this.#end();
    const defect = (error: unknown) => this.#defect(error);
    for (const name of signals) process.on(name, end);
    process.on('uncaughtException', defect).on('unhandledRejection', defect);
    say(`DAP server listening at: ${where}`);
    if ('port' in place && !this.#peers.told) this.#admission.offer();
    if (!stay) this.#waitFor(this.#patience.first);
    await this.#over.promise;
    await Promise.all(this.#sessions);
    for (const name of signals) process.off(name, end);
    process.off('uncaughtException', defect).off('unhandledRejection', defect);
    return this.#code;
  }

  async #connected(socket: Socket): Promise<void> {
    const { log, warn, place } = this.#options;
    // Whatever happens to it, its session sees it as the end of the stream.
    socket.on('error', (error) => log.write('debug', 'A connection failed.', { error }));
    // Only this user reaches a Unix socket of mode 0600.
    const peer = 'port' in place ? await this.#peers.of(socket) : 'own';
    if (peer === 'stranger') {
      log.write('warn', 'A connection was refused.', { from: `${socket.remoteAddress}:${socket.remotePort}` });
      warn('A connection of another user of this computer was refused.');
    }
    if (peer === 'stranger' || peer === 'gone' || this.#closing) {
      socket.destroy();
      return;
    }
    clearTimeout(this.#idle);
    const session = this.#session(socket, peer === 'unknown' ? this.#admission.next() : undefined)
      .catch((error: unknown) => this.#defect(error))
      .finally(() => {
        this.#sessions.delete(session);
        socket.destroy();
        // Who only looks whether we listen, as some IDEs do before they connect, says nothing.
        this.#served ||= socket.bytesRead > 0;
        const { first, next } = this.#patience;
        if (this.#sessions.size === 0 && !this.#options.stay) this.#waitFor(this.#served ? next : first);
      });
    this.#sessions.add(session);
  }

  async #session(socket: Socket, admit: ServeOptions['admit']): Promise<void> {
    const { log, open } = this.#options;
    const one = open();
    // Each session listens for signals.
    process.setMaxListeners(process.getMaxListeners() + 1);
    try {
      const served = { log, ...one.options, input: socket, output: socket, ...(admit && { admit }) };
      this.#code = (await serve(served)) || this.#code;
    } finally {
      process.setMaxListeners(process.getMaxListeners() - 1);
      await one.close();
    }
  }

  #waitFor(milliseconds: number): void {
    clearTimeout(this.#idle);
    if (!this.#closing) this.#idle = setTimeout(() => this.#end(), milliseconds);
  }

  /** Of the sessions, each hears the signals itself. */
  #end(): void {
    this.#closing = true;
    clearTimeout(this.#idle);
    this.#server.close();
    this.#over.resolve();
  }

  #defect(error: unknown): void {
    this.#options.log.write('error', 'A debug session failed.', { error });
    this.#options.warn(`A debug session failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
