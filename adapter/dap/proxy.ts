/**
 * The debug adapter of kubernetes-local: a transparent DAP proxy between the client and the real debug adapter.
 * This folder owns framing, sequence numbers, states, progress and the end of a debug session. It knows nothing of
 * Kubernetes: what has to be connected before and undone after the program is behind `Surroundings`.
 */
import { DebugSession } from './debug-session.ts';
import { clientGone } from './ending.ts';
import { fromClient, release } from './from-client.ts';
import { debuggerGone, fromDebugger } from './from-debugger.ts';
import type { ServeOptions, Timing } from './options.ts';

const usualTiming: Timing = {
  // dape gives up `launch` after 10 s and kills us; Helix ("hx") any request after 20 s (field notes, §1.2).
  earlyAnswer: { dape: 6000, hx: 15_000 },
  initialize: 15_000,
  afterRubbish: 2000,
  reverseRequest: 30_000,
  disconnect: 1000,
  undo: 1500,
  farewell: 2000,
  endOfFile: 500,
  sigterm: 500,
};

/**
 * Serves one debug session until its end, which is also SIGTERM, SIGINT or SIGHUP of this process.
 * Resolves with the exit code of the process; never rejects.
 */
export async function serve(options: ServeOptions): Promise<number> {
  const session: DebugSession = new DebugSession(
    options,
    { ...usualTiming, ...options.timing },
    {
      hear: (from, message) => fromDebugger(session, from, message),
      gone: (from, how) => debuggerGone(session, from, how),
      release: () => release(session),
    },
  );
  const {
    channel,
    options: { log },
  } = session;
  const gone = (why: string) => session.background(clientGone(session, why));
  const signals = (['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map((name) => {
    const handler = () => gone(`${name} was received.`);
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  channel.listen({
    message: (message) => fromClient(session, message),
    unreadable: (error) => log.write('warn', 'The client sent something unreadable.', { error }),
    broken: (error) => gone(`The client cannot be written to: ${error.message}`),
    end: () => gone('The client closed its end.'),
  });
  const code = await session.over.promise;
  for (const remove of signals) remove();
  await session[Symbol.asyncDispose]();
  log.write('info', 'The debug session is over.', { code });
  return code;
}
