/**
 * Child sessions: the real debug adapter asks for another debug session (a process that the program started), and the
 * client starts a debug adapter for it. That one is led to the real debug adapter of this session by a private socket
 * and a token that is good for one use, so that it needs no connection of its own to anything else.
 *
 * What is said on the socket: the token and a line end; then one line of JSON (`Invitation`); then, if it is `served`,
 * DAP with the real debug adapter. Otherwise the socket stays silent and open for as long as this session lives.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import type { Endpoint } from '../debuggers/profile.ts';
import type { Log } from '../diagnostics/log.ts';
import { field } from './message.ts';
import { placeSchema } from './place.ts';
import { dial, privateSocket } from './reach.ts';

/** In the launch arguments of a child session: where its parent is. */
const ticketSchema = z.object({ endpoint: z.string().min(1), token: z.string().min(1) });
export type Ticket = z.infer<typeof ticketSchema>;

/** What the parent knows about the child session; with the secrets that the client does not get to see. */
const invitationSchema = z.object({
  delegate: z.string(),
  request: z.enum(['launch', 'attach']),
  configuration: z.record(z.string(), z.unknown()),
  served: z.boolean(),
  /** Where the parent's debug adapter runs, so that one of the child's own runs there too. */
  place: placeSchema.optional(),
});
export type Invitation = z.infer<typeof invitationSchema>;

/** The key of the ticket in launch arguments. IDEs keep keys that begin with two underscores for themselves. */
export const ticketKey = '__kubernetesLocal';

/** How long a child may take to show its token, in ms. */
const patience = 10_000;

/** The ticket in launch arguments, if they are a child session's. */
export function ticketOf(args: unknown): Ticket | undefined {
  return ticketSchema.safeParse(field(args, ticketKey)).data;
}

export class Children implements Disposable {
  readonly #log: Log;
  readonly #waiting = new Map<string, { readonly invitation: Invitation; readonly endpoint: Endpoint | undefined }>();
  readonly #sockets = new Set<Socket>();
  readonly #abort = new AbortController();
  #open: { readonly server: Server; readonly path: string; readonly folder: string | undefined } | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** A ticket for one child session, which is served at `endpoint` or, without one, by a debug adapter of its own. */
  invite(invitation: Omit<Invitation, 'served'>, endpoint: Endpoint | undefined): Ticket {
    const token = randomBytes(24).toString('base64url');
    this.#waiting.set(token, { invitation: { ...invitation, served: endpoint !== undefined }, endpoint });
    return { endpoint: this.#listen(), token };
  }

  #listen(): string {
    if (this.#open === undefined) {
      const { path, folder } = privateSocket();
      const server = createServer((socket) => void this.#accept(socket));
      server.on('error', (error) => this.#log.write('error', 'Child sessions cannot be served.', { error }));
      server.listen(path);
      this.#open = { server, path, folder };
    }
    return this.#open.path;
  }

  async #accept(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', (error) => this.#log.write('debug', 'The socket of a child session failed.', { error }));
    try {
      const given = await readLine(socket, AbortSignal.any([this.#abort.signal, AbortSignal.timeout(patience)]));
      const found = this.#take(given);
      if (found === undefined) throw new Error('The token is not one of ours, or was used before.');
      socket.write(`${JSON.stringify(found.invitation)}\n`);
      if (found.endpoint !== undefined) {
        join(socket, await dial(found.endpoint, this.#abort.signal, { place: found.invitation.place }));
      }
    } catch (error) {
      this.#log.write('warn', 'A child session could not be served.', { error });
      socket.destroy();
    }
  }

  #take(given: string) {
    for (const [token, found] of this.#waiting) {
      const [a, b] = [Buffer.from(token), Buffer.from(given)];
      if (a.length !== b.length || !timingSafeEqual(a, b)) continue;
      this.#waiting.delete(token);
      return found;
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#abort.abort(new Error('The parent session is over.'));
    for (const socket of this.#sockets) socket.destroy();
    this.#open?.server.close();
    if (this.#open?.folder !== undefined) rmSync(this.#open.folder, { recursive: true, force: true });
  }
}

/** Shows the ticket to the parent. The socket is paused, and what comes from it next is what `served` says. */
export async function joinParent(
  ticket: Ticket,
  signal: AbortSignal,
): Promise<{ readonly socket: Socket; readonly invitation: Invitation }> {
  const socket = await dial({ path: ticket.endpoint }, signal);
  try {
    socket.write(`${ticket.token}\n`);
    const line = await readLine(socket, AbortSignal.any([signal, AbortSignal.timeout(patience)]));
    return { socket, invitation: invitationSchema.parse(JSON.parse(line)) };
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw new Error('The debug session that this one belongs to is over, or has served it before.', { cause: error });
  }
}

/** The first line; what came after it stays in the socket. */
function readLine(socket: Socket, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const settle = (act: () => void) => {
      socket.off('readable', read).off('end', ended).off('error', failed);
      signal.removeEventListener('abort', aborted);
      act();
    };
    const read = () => {
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
        const end = chunk.indexOf('\n');
        if (end === -1) {
          chunks.push(chunk);
          continue;
        }
        const rest = chunk.subarray(end + 1);
        const line = Buffer.concat([...chunks, chunk.subarray(0, end)]).toString();
        settle(() => resolve(line));
        if (rest.length > 0) socket.unshift(rest);
        return;
      }
    };
    const failed = (error: Error) => settle(() => reject(error));
    const ended = () => failed(new Error('It closed the connection.'));
    const aborted = () => failed(signal.reason);
    socket.on('readable', read).once('end', ended).once('error', failed);
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
  });
}

/** Joins two sockets; the end of either is the end of both. */
function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.once('close', () => to.destroy());
  }
  other.on('error', () => one.destroy());
}
