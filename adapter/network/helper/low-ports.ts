/**
 * Listeners of the helper on ports that its client may not open itself. The helper only accepts; a process of the
 * client's user carries the bytes (relay-process.ts).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { runCommand } from '../platform/run-command.ts';
import { LowDatagramPorts, type Place } from './low-datagram-ports.ts';
import { sendToRelay } from './relay-protocol.ts';

export interface LowPortsOptions {
  readonly directory: string;
  readonly uid: number;
  readonly token: string;
  /** For the helper's log. */
  say(text: string): void;
}

/** More descriptors than this are no session of ours. */
const mostListeners = 20_000;

export class LowPorts {
  readonly #options: LowPortsOptions;
  readonly #servers = new Map<string, Server>();
  readonly #datagrams: LowDatagramPorts;
  #relay: Promise<ChildProcess> | undefined;
  #ended = false;

  constructor(options: LowPortsOptions) {
    this.#options = options;
    this.#datagrams = new LowDatagramPorts({ relay: (signal) => this.#ready(signal), say: options.say });
  }

  /** How many listeners are open. */
  get size(): number {
    return this.#servers.size + this.#datagrams.size;
  }

  /** Listens. Rejects with the error of listen(2) or bind(2), such as EADDRINUSE. */
  async listen(
    listener: string,
    { address, port, protocol }: Place & { readonly protocol: 'TCP' | 'UDP' },
    signal: AbortSignal,
  ): Promise<void> {
    const isOpen = this.#servers.has(listener) || this.#datagrams.has(listener);
    if (isOpen) throw Object.assign(new Error('such a listener is open'), { code: 'EEXIST' });
    if (this.size >= mostListeners) throw Object.assign(new Error('too many listeners'), { code: 'EMFILE' });
    if (protocol === 'UDP') return this.#datagrams.listen(listener, { address, port }, signal);
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      void this.#pass(listener, socket);
    });
    this.#servers.set(listener, server);
    try {
      // Made now, so that the first connection need not wait for it.
      await this.#ready(signal);
      server.listen({ host: address, port, exclusive: true });
      await once(server, 'listening', { signal });
    } catch (error) {
      this.#servers.delete(listener);
      server.close();
      throw error;
    }
    server.on('error', (error) => this.#options.say(`a listener failed: ${error.message}`));
  }

  /** Stops listening; connections stay. */
  unlisten(listener: string): void {
    this.#datagrams.unlisten(listener);
    // Not waited for: that would be for its connections, which are the relay's.
    this.#servers.get(listener)?.close();
    this.#servers.delete(listener);
  }

  /** Stops listening everywhere, and ends the relay, which resets its connections. */
  async close(): Promise<void> {
    this.#ended = true;
    for (const listener of [...this.#servers.keys()]) this.unlisten(listener);
    const relay = await this.#relay?.catch(() => undefined);
    if (relay?.connected) relay.disconnect();
  }

  async #pass(listener: string, socket: Socket): Promise<void> {
    try {
      await sendToRelay(await this.#ready(new AbortController().signal), { kind: 'connection', listener }, socket);
    } catch (error) {
      this.#options.say(
        `a connection could not be passed on: ${error instanceof Error ? error.message : String(error)}`,
      );
      socket.resetAndDestroy();
    }
  }

  /** The relay; a new one if there is none, or it was killed. */
  #ready(signal: AbortSignal): Promise<ChildProcess> {
    this.#relay ??= this.#startRelay(signal).catch((error: unknown) => {
      this.#relay = undefined;
      throw error;
    });
    return this.#relay;
  }

  async #startRelay(signal: AbortSignal): Promise<ChildProcess> {
    const { directory, uid, token } = this.#options;
    const [, script = ''] = process.argv;
    const relay = fork(script, ['helper', relayArgument], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: {},
      ...(process.getuid?.() === 0 && uid !== 0 ? { uid, gid: await groupOf(uid, signal) } : {}),
    });
    relay.once('close', () => {
      this.#relay = undefined;
      if (!this.#ended) void this.#datagrams.restore();
    });
    relay.on('error', (error) => this.#options.say(`the relay failed: ${error.message}`));
    // Whatever the user made this process say: it is not listened to.
    await sendToRelay(relay, { directory, uid, token });
    return relay;
  }
}

/** In place of the helper's argument; it is none, for it has no version. */
export const relayArgument = 'relay';

/** The user's own group, as the system says and not as the client does. */
async function groupOf(uid: number, signal: AbortSignal): Promise<number> {
  const { code, stdout } = await runCommand(['/usr/bin/id', '-g', String(uid)], signal);
  const group = Number(stdout.trim());
  // A user without an entry has no group that would give him anything.
  return code === 0 && Number.isInteger(group) ? group : uid;
}
