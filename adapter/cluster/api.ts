/**
 * Speaks HTTP with the API server: plain JSON in and out, one pool of kept-alive connections.
 *
 * client-node's KubeConfig gives TLS, credentials and proxies. Its generated API classes are not used: they drop fields
 * that this version does not know (an undo must keep them) and open a new TLS connection for each request.
 */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { z } from 'zod';
import type { Log } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import { ApiError, hasStatus } from './api-error.ts';
import { ServerClock } from './server-clock.ts';
import { unreachable } from './unreachable.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface ApiRequest {
  readonly method: Method;
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  /** Default application/json; a PATCH names its patch type. */
  readonly contentType?: string;
  readonly signal: AbortSignal;
  /** Milliseconds until the answer must have begun. */
  readonly timeout?: number;
}

/** How TLS, proxy and credentials are applied to one request. */
export interface Credentials {
  /** Resolves with the generation of the credentials, for `refresh`. */
  apply(options: RequestOptions): Promise<number>;
  /** After the server refused credentials of this generation: forgets them; false if there can be no others. */
  refresh(generation: number): boolean;
}

const answerTimeout = 15_000;
const userAgent = 'kubernetes-local';
/** Recorded by the API server in managedFields, so that colleagues see who changed a field. */
export const fieldManager = 'kubernetes-local';
export const strategicMergePatch = 'application/strategic-merge-patch+json';

export class Api {
  readonly server: string;
  readonly #credentials: Credentials;
  readonly #pool: HttpAgent;
  readonly #log: Log;
  readonly #watches = new Set<IncomingMessage>();
  readonly #clock = new ServerClock();

  constructor(server: string, credentials: Credentials, log: Log) {
    this.server = server;
    this.#log = log;
    this.#credentials = credentials;
    const options = { keepAlive: true, keepAliveMsecs: 30_000 };
    this.#pool = server.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** The time of the API server as far as its Date headers tell: leases must not depend on each workstation's clock. */
  now(): Date {
    return this.#clock.now();
  }

  /**
   * Ends the watches that run, and the connections that wait for their next request: they may be dead without having said so.
   * Whoever watches goes on from where it was; requests under way are left to their own time limit.
   */
  restartWatches(): void {
    for (const response of this.#watches) response.destroy(new Error('the connection may be dead'));
    for (const sockets of Object.values(this.#pool.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /** Closes its connections; whoever uses it again opens others. */
  close(): void {
    this.#pool.destroy();
  }

  /** One request, answered and parsed. Problems: ApiError, `cluster-unreachable`. */
  async request<T>(request: ApiRequest, schema: z.ZodType<T>): Promise<T> {
    const response = await this.#send(request);
    const text = await this.#guard(request, readAll(response));
    const status = response.statusCode ?? 0;
    if (status < 200 || status >= 300) throw new ApiError(request.method, request.path, status, text);
    return schema.parse(JSON.parse(text));
  }

  /** The lines of a streaming answer (watch, log). Ends when the server ends it; network errors are `cluster-unreachable`. */
  async *lines(request: ApiRequest): AsyncGenerator<string> {
    const response = await this.#send(request);
    const status = response.statusCode ?? 0;
    if (status < 200 || status >= 300) {
      throw new ApiError(request.method, request.path, status, await this.#guard(request, readAll(response)));
    }
    response.setEncoding('utf8');
    let rest = '';
    if (request.query?.watch === true) this.#watches.add(response);
    try {
      for await (const chunk of response) {
        const lines = `${rest}${chunk}`.split('\n');
        rest = lines.pop() ?? '';
        yield* lines;
      }
    } catch (error) {
      request.signal.throwIfAborted();
      throw unreachable(this.server, error);
    } finally {
      this.#watches.delete(response);
      response.destroy();
    }
    if (rest) yield rest;
  }

  /** What a connection to the API server that is upgraded needs: TLS options, headers and, behind a proxy, the agent. */
  async connectionOptions(): Promise<{ readonly options: RequestOptions; readonly generation: number }> {
    const options: RequestOptions = {};
    const generation = await this.#credentials.apply(options);
    options.headers = { ...options.headers, 'User-Agent': userAgent };
    return { options, generation };
  }

  /** Connects with `connectionOptions`, and once more if the answer is 401 and there may be newer credentials. Rejects as `use`. */
  async withCredentials<Result>(use: (options: RequestOptions) => Promise<Result>): Promise<Result> {
    const first = await this.connectionOptions();
    try {
      return await use(first.options);
    } catch (error) {
      if (!hasStatus(error, 401) || !this.#credentials.refresh(first.generation)) throw error;
      return await use((await this.connectionOptions()).options);
    }
  }

  async #send(request: ApiRequest): Promise<IncomingMessage> {
    const first = await this.connectionOptions();
    const response = await this.#sendOnce(request, first.options);
    if (response.statusCode !== 401 || !this.#credentials.refresh(first.generation)) return response;
    response.resume();
    return this.#sendOnce(request, (await this.connectionOptions()).options);
  }

  async #sendOnce(request: ApiRequest, options: RequestOptions, mayRepeat = true): Promise<IncomingMessage> {
    request.signal.throwIfAborted();
    options.agent ??= this.#pool;
    const url = new URL(this.server + request.path);
    for (const [key, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const headers: Record<string, unknown> = { ...options.headers, Accept: 'application/json' };
    if (body) {
      headers['Content-Type'] = request.contentType ?? 'application/json';
      headers['Content-Length'] = body.length;
    }
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outcome = Promise.withResolvers<IncomingMessage>();
    const settings: RequestOptions = {
      ...options,
      method: request.method,
      headers: headers as Record<string, string>,
      // A change that was sent may be carried out although nobody waits: its undo must not be faster than the answer.
      ...(request.method === 'GET' && { signal: request.signal }),
    };
    const message = this.#begin(() => send(url, settings));
    const timer = setTimeout(
      () => message.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
      request.timeout ?? answerTimeout,
    );
    message.once('response', outcome.resolve).once('error', outcome.reject).end(body);
    try {
      const response = await outcome.promise;
      this.#clock.heard(response.headers.date);
      this.#keepWarnings(request, response);
      return response;
    } catch (error) {
      request.signal.throwIfAborted();
      // The server closed an idle connection just as it was used again. A POST might have been carried out.
      if (message.reusedSocket && mayRepeat && request.method !== 'POST' && isReset(error)) {
        return await this.#sendOnce(request, options, false);
      }
      throw unreachable(this.server, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A certificate and a key that do not fit, since they are being renewed just now, are thrown and not told by an event. */
  #begin(begin: () => ClientRequest): ClientRequest {
    try {
      return begin();
    } catch (error) {
      throw unreachable(this.server, error);
    }
  }

  async #guard<T>(request: ApiRequest, body: Promise<T>): Promise<T> {
    try {
      return await body;
    } catch (error) {
      request.signal.throwIfAborted();
      throw unreachable(this.server, error);
    }
  }

  /** Admission's warnings (PodSecurity, deprecations) explain later failures. */
  #keepWarnings({ method, path }: ApiRequest, { headers }: IncomingMessage): void {
    const { warning } = headers;
    if (warning !== undefined) this.#log.write('warn', 'the API server warns', { method, path, warning });
  }
}

/** Whether the error may pass by itself: network trouble, an overloaded or restarting API server. */
export function isPassing(error: unknown): boolean {
  return error instanceof Problem && error.code === 'cluster-unreachable';
}

/** Repeats a read-change-write while others write the same object (409). Each attempt must read afresh. */
export async function retryOnConflict<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!hasStatus(error, 409) || tries === 8) throw error;
    }
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
