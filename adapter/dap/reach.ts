/** Reaching a debug adapter that was started: over its standard streams, at its socket, or by its call to us. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { DelegateCommand, Endpoint } from '../debuggers/profile.ts';
import { dialInside } from '../network/namespace/dial-inside.ts';
import type { Place } from './place.ts';

/** What has to stand before the debug adapter is started. */
export interface Meeting extends Disposable {
  /** The program and its arguments, filled in. */
  readonly argv: readonly string[];
  /** The socket to the debug adapter. `said` gets the lines of its output. Rejects when the signal is aborted. */
  socket(said: OutputLines, signal: AbortSignal): Promise<{ socket: Socket; endpoint: Endpoint | undefined }>;
}

/** Calls back for each line that was written so far and each to come. */
export type OutputLines = (listener: (line: string) => void) => void;

/** Undefined for a debug adapter that talks over its standard streams. */
export async function arrangeMeeting(command: DelegateCommand, place?: Place): Promise<Meeting | undefined> {
  const { argv, transport } = (place && command.elsewhere) ?? command;
  switch (transport.kind) {
    case 'stdio':
      return undefined;
    case 'running':
      return atEndpoint([], async () => transport.endpoint);
    case 'server':
      return atEndpoint(
        argv,
        (said, signal) =>
          firstMatch(said, transport.ready, signal).then(({ groups }) => ({
            host: loopback(groups?.host),
            port: Number(groups?.port),
          })),
        { place },
      );
    case 'socket': {
      const { path, folder } = privateSocket();
      const filled = argv.map((word) => word.replaceAll('{socket}', path));
      const { ready } = transport;
      return atEndpoint(
        filled,
        async (said, signal) => {
          if (ready !== undefined) await firstMatch(said, ready, signal);
          return { path };
        },
        {
          attempts: ready === undefined ? Number.POSITIVE_INFINITY : 10,
          dispose: () => folder !== undefined && rmSync(folder, { recursive: true, force: true }),
        },
      );
    }
    case 'port': {
      const { host } = transport;
      const port = await freePort(host, transport.port);
      const filled = argv.map((word) => word.replaceAll('{port}', String(port)));
      return atEndpoint(filled, async () => ({ host, port }), { attempts: Number.POSITIVE_INFINITY, place });
    }
    case 'callback':
      return byCallback(argv);
  }
}

/** A path where only this user can listen and connect. */
export function privateSocket(): { readonly path: string; readonly folder: string | undefined } {
  if (process.platform === 'win32') {
    return { path: `\\\\.\\pipe\\kubernetes-local-${crypto.randomUUID()}`, folder: undefined };
  }
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-'));
  return { path: join(folder, 'dap.sock'), folder };
}

/**
 * Connects. A server that said a moment too early that it listens is asked again for a second, one that says nothing
 * for as long as the signal lets us. The first connection counts: many serve one client only and then end.
 */
export async function dial(
  endpoint: Endpoint,
  signal: AbortSignal,
  { attempts = 10, place }: { readonly attempts?: number | undefined; readonly place?: Place | undefined } = {},
): Promise<Socket> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await (place !== undefined && 'port' in endpoint
        ? dialInside(place.dialSocket, endpoint.host, endpoint.port, signal)
        : dialOnce(endpoint, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (attempt >= attempts) throw error;
      await setTimeout(100, undefined, { signal });
    }
  }
}

/** The wanted port, or any. Rejects if another program has it: that one would get what is meant for the debug adapter. */
async function freePort(host: string, wanted = 0): Promise<number> {
  const server = createServer();
  const port = await listen(server, wanted, host);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function dialOnce(endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...endpoint, noDelay: true });
    const abort = () => socket.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject).once('connect', () => {
      signal.removeEventListener('abort', abort);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function atEndpoint(
  argv: readonly string[],
  find: (said: OutputLines, signal: AbortSignal) => Promise<Endpoint>,
  { attempts, place, dispose = () => {} }: { attempts?: number; place?: Place | undefined; dispose?: () => void } = {},
): Meeting {
  return {
    argv,
    async socket(said, signal) {
      const endpoint = await find(said, signal);
      return { socket: await dial(endpoint, signal, { attempts, place }), endpoint };
    },
    [Symbol.dispose]: dispose,
  };
}

async function byCallback(argv: readonly string[]): Promise<Meeting> {
  const server = createServer({ noDelay: true });
  const port = await listen(server);
  const called = new Promise<Socket>((resolve) => server.once('connection', resolve));
  return {
    argv: argv.map((word) => word.replaceAll('{port}', String(port))),
    async socket(_said, signal) {
      const given = Promise.withResolvers<never>();
      const abort = () => given.reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      try {
        // Whoever calls second is not the one that we started.
        return { socket: await Promise.race([called, given.promise]), endpoint: undefined };
      } finally {
        signal.removeEventListener('abort', abort);
        server.close();
      }
    },
    [Symbol.dispose]: () => server.close(),
  };
}

function listen(server: Server, port = 0, host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function firstMatch(said: OutputLines, pattern: RegExp, signal: AbortSignal): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    said((line) => {
      const match = line.match(pattern);
      if (match !== null) resolve(match);
    });
  });
}

/** A server that listens on all addresses of the computer is reached at the nearest one. */
function loopback(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0') return '127.0.0.1';
  return host === '[::]' || host === '::' || host === '' ? '::1' : host.replace(/^\[(.*)\]$/, '$1');
}
