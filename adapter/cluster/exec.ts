/**
 * Runs a command in a container and reads what it writes, over a websocket of the API server (`/exec`).
 *
 * Protocol v5.channel.k8s.io, v4 before Kubernetes 1.30: every message begins with its channel's number: 1 standard output,
 * 2 standard error, 3 a Status object at the end, which says how the command ended.
 */
import type { RequestOptions } from 'node:https';
import { WebSocket } from 'ws';
import { z } from 'zod';
import type { Cluster } from './cluster.ts';
import { refusalOf } from './refusal.ts';
import { unreachable } from './unreachable.ts';
import { asBuffer } from './websocket-message.ts';

export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  /** The most bytes that it may write. */
  readonly limit: number;
}

/** How the command ended. */
export type ExecResult =
  | { readonly output: Buffer }
  /** It was not found, or it failed: the runtime's words. */
  | { readonly failure: string }
  /** It wrote more than the limit, and was left alone. */
  | { readonly tooLong: true };

const subprotocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const handshakeTimeout = 10_000;

const statusSchema = z.looseObject({ status: z.string().nullish(), message: z.string().nullish() });

/** Problems: ApiError if the API server does not run it, cluster-unreachable; the signal's reason. */
export function execute(cluster: Cluster, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
  return cluster.api.withCredentials((options) => run(cluster, request, options, signal));
}

async function run(
  cluster: Cluster,
  { namespace, pod, container, command, limit }: ExecRequest,
  options: RequestOptions,
  signal: AbortSignal,
): Promise<ExecResult> {
  signal.throwIfAborted();
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec`;
  const url = new URL(cluster.server.replace(/^http/, 'ws') + path);
  for (const [key, value] of [
    ['container', container],
    ['stdout', 'true'],
    ['stderr', 'true'],
  ] as const) {
    url.searchParams.append(key, value);
  }
  for (const word of command) url.searchParams.append('command', word);
  const socket = new WebSocket(url, subprotocols, { ...options, perMessageDeflate: false, handshakeTimeout } as object);
  const ended = Promise.withResolvers<ExecResult>();
  const output: Buffer[] = [];
  let length = 0;
  socket.on('message', (data) => {
    const message = asBuffer(data);
    const [channel] = message;
    const content = message.subarray(1);
    if (channel === 3) ended.resolve(resultOf(content, output));
    if (channel !== 1 && channel !== 2) return;
    length += content.length;
    if (length > limit) ended.resolve({ tooLong: true });
    else if (channel === 1) output.push(content);
  });
  socket.once('unexpected-response', (_request, response) => void refusalOf('GET', path, response).then(ended.reject));
  socket.once('error', (error) => ended.reject(unreachable(cluster.server, error)));
  socket.once('close', () => ended.reject(unreachable(cluster.server, new Error('the connection was closed'))));
  const abort = () => ended.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await ended.promise;
  } finally {
    signal.removeEventListener('abort', abort);
    // Terminating during the handshake is told as an error, which nobody needs any more.
    socket.on('error', () => {});
    socket.terminate();
  }
}

function resultOf(content: Buffer, output: readonly Buffer[]): ExecResult {
  const text = content.toString();
  const parsed = statusSchema.safeParse(jsonOf(text));
  if (parsed.success && parsed.data.status === 'Success') return { output: Buffer.concat(output) };
  return { failure: (parsed.success && parsed.data.message) || text };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
