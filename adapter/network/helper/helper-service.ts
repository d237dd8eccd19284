/**
 * What the privileged helper answers: every argument is checked here, and whatever is refused is written to the log, one
 * line each. Before the caller has shown the token nothing is done for it.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import type { z } from 'zod';
import { Problem } from '../../problem.ts';
import type { LoopbackAliases } from '../platform/loopback-aliases.ts';
import { boundedChannel } from './bounded-channel.ts';
import type { HelperHosts } from './helper-hosts.ts';
import {
  addressesSchema,
  clearHostsSchema,
  type HelperMethod,
  helloSchema,
  helperVersion,
  listenSchema,
  longestMessage,
  setHostsSchema,
  unlistenSchema,
} from './helper-protocol.ts';
import type { LowPorts } from './low-ports.ts';
import { refusal, versionRefusal } from './refusal.ts';

/** A client that connects says hello at once. */
const helloMilliseconds = 10_000;

export interface HelperServiceOptions {
  readonly socket: Socket;
  readonly token: string;
  readonly hosts: HelperHosts;
  readonly ports: LowPorts;
  readonly aliases: LoopbackAliases;
  /** A line for the log. */
  say(text: string): void;
  /** The client asked for something it may ask for. */
  active(): void;
  /** The helper is ending: nothing is begun any more. */
  readonly signal: AbortSignal;
}

/** Answers until the socket closes. */
export function serveHelper(options: HelperServiceOptions): void {
  const { socket, token, hosts, ports, aliases, say, active, signal } = options;
  let trusted = false;
  const methods: Readonly<Record<HelperMethod, (parameters: unknown) => unknown>> = {
    hello: (parameters) => {
      const { version, token: shown } = check(helloSchema, parameters);
      if (version !== helperVersion) throw versionRefusal(version);
      if (!isSame(shown, token)) throw refusal('The caller showed a wrong token.');
      trusted = true;
      clearTimeout(deadline);
      return { version: helperVersion, pid: process.pid };
    },
    ping: () => ({}),
    checkHosts: () => hosts.check().then(empty),
    setHosts: async (parameters) => {
      const { session, lines } = check(setHostsSchema, parameters);
      return { shadowed: await hosts.set(session, lines, signal) };
    },
    clearHosts: (parameters) => hosts.clear(check(clearHostsSchema, parameters).session, signal).then(empty),
    listen: (parameters) => {
      const { listener, ...place } = check(listenSchema, parameters);
      return ports.listen(listener, place, signal).then(empty);
    },
    unlisten: (parameters) => {
      ports.unlisten(check(unlistenSchema, parameters).listener);
      return {};
    },
    setAddresses: (parameters) => aliases.set(check(addressesSchema, parameters).addresses, signal).then(empty),
  };
  const connection = boundedChannel(socket, longestMessage, (why) => say(`refused the caller: ${why}`));
  const deadline = setTimeout(() => {
    say('refused the caller: it did not show the token in time');
    socket.destroy();
  }, helloMilliseconds);
  socket.once('close', () => clearTimeout(deadline));
  connection.onRequest(async (name, parameters) => {
    try {
      if (!Object.hasOwn(methods, name)) throw refusal('There is no such method.');
      if (name !== 'hello' && !trusted) throw refusal('The caller did not show the token.');
      if (signal.aborted) throw refusal('It is ending.');
      const result = await methods[name as HelperMethod](Array.isArray(parameters) ? parameters[0] : parameters);
      active();
      return result;
    } catch (error) {
      return failure(error, (why) => say(`refused ${JSON.stringify(name.slice(0, 40))}: ${why}`));
    }
  });
  connection.onNotification((name) => say(`refused ${JSON.stringify(name.slice(0, 40))}: There is no such method.`));
  connection.listen();
}

const empty = () => ({});

/** What the system refuses has a code of its own that the caller wants to know. */
function failure(error: unknown, say: (why: string) => void): ResponseError<object> {
  const code = error instanceof Error && !(error instanceof Problem) && 'code' in error ? String(error.code) : '';
  if (/^E[A-Z0-9]+$/.test(code)) {
    return new ResponseError(ErrorCodes.InternalError, (error as Error).message, { systemError: code });
  }
  const problem = Problem.from(error);
  say(problem.message.replace(/\s+/g, ' '));
  return new ResponseError(ErrorCodes.InternalError, problem.message, problem.toJSON());
}

function check<T>(schema: z.ZodType<T>, parameters: unknown): T {
  const parsed = schema.safeParse(parameters);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refusal(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
