/** Connecting the surroundings for one `launch`, with progress. */

import { unlessAborted } from '../within.ts';
import type { Client } from './client.ts';
import type { Raw, Request } from './message.ts';
import { Progress } from './progress.ts';
import type { Questions } from './questions.ts';
import type { ConnectHooks, Connection, Surroundings } from './surroundings.ts';

/** The progress that the client can cancel. */
export const progressId = 'kubernetes-local-connecting';

/** Rejects with the signal's reason as soon as it is aborted, even if the surroundings do not hear of it. */
export async function connectSurroundings(options: {
  surroundings: Surroundings;
  client: Client;
  request: Request;
  initializeArguments: Raw;
  /** Undefined if the client has no extension of ours. */
  questions: Questions | undefined;
  lost: ConnectHooks['lost'];
  signal: AbortSignal;
}): Promise<Connection> {
  const { surroundings, client, request, questions, signal } = options;
  signal.throwIfAborted();
  const progress = new Progress({
    id: progressId,
    title: 'Connecting',
    request: Number(request.seq),
    asEvents: options.initializeArguments.supportsProgressReporting === true,
    send: (event) => client.send({ ...event }),
  });
  const hooks: ConnectHooks = {
    progress: (text, percentage) => progress.report(text, percentage),
    notice: (level, text) => client.tell(text, level === 'warning' ? 'important' : 'console'),
    ...(questions && { ask: (question, each) => questions.ask(question, each) }),
    lost: options.lost,
  };
  try {
    const connection = await unlessAborted(surroundings.connect(request.arguments, hooks, signal), signal);
    client.tell(connection.summary, 'console');
    return connection;
  } finally {
    progress.end();
  }
}
