/** A session of a command in a terminal: progress on standard error, undone on every way out. */
import { Problem } from '../problem.ts';
import { SessionClient } from '../session/client.ts';
import type { Ending, Keep } from '../session/protocol.ts';
import type { SessionRequest } from '../session/session-request.ts';
import { sessionFiles } from '../session/state-folder.ts';
import { askAtTerminal } from './ask-at-terminal.ts';
import { commandLog } from './command-log.ts';
import { ownProgram } from './program.ts';
import { showLine, showNotice, showProgress } from './terminal.ts';

/** The undo of a rollout takes seconds; a user who does not want to wait presses Ctrl-C again. */
const undoBudgetMilliseconds = 180_000;

/** How an undo looked, in words. */
export const described: Readonly<Record<Ending, string>> = {
  undone: 'Everything is as it was before.',
  finishing: 'The daemon goes on with the undo; "kubernetes-local status" shows it.',
  kept: 'The session stands on for its other clients.',
};

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The signal by which the user ended the command; undefined if nobody did. */
export type EndedBy = () => (typeof endingSignals)[number] | undefined;

/**
 * Connects, runs `body`, and leaves whatever happens. `body` gets a signal that is aborted when the user ends the
 * command or the session is lost. Returns what `body` returns; throws the Problem by which the session was lost.
 * With `keep`, the session stands on for that when `body` has done its work; nothing is said of its end then.
 */
export async function withSession<T>(
  { key, request }: SessionRequest,
  body: (session: SessionClient, ended: AbortSignal, endedBy: EndedBy) => Promise<T>,
  keep?: Keep,
): Promise<T> {
  const ended = new AbortController();
  commandLog.moveTo(sessionFiles(key).log);
  commandLog.write('info', 'a command connects', { command: process.argv[2] });
  let loss: Problem | undefined;
  let endedBy: ReturnType<EndedBy>;
  const onSignal = (signal: NodeJS.Signals) => {
    if (ended.signal.aborted) {
      showLine(described.finishing);
      process.exit(130);
    }
    endedBy = endingSignals.find((name) => name === signal);
    ended.abort(new Problem({ code: 'cancelled', what: 'Ended by the user.', why: '', remedy: '' }));
  };
  for (const signal of endingSignals) process.on(signal, onSignal);
  try {
    const session = await SessionClient.connect(
      key,
      request,
      ownProgram(),
      {
        progress: showProgress,
        notice: showNotice,
        ask: askAtTerminal,
        lost: (problem) => {
          loss = problem;
          ended.abort(problem);
        },
      },
      ended.signal,
    );
    for (const { secret, value } of session.connection.environment) if (secret) commandLog.redactor.add(value);
    let stays = false;
    try {
      const result = await body(session, ended.signal, () => endedBy);
      if (loss) throw loss;
      stays = keep !== undefined && !ended.signal.aborted;
      return result;
    } finally {
      if (loss === undefined) {
        const ending = await session.leave(undoBudgetMilliseconds, stays ? keep : undefined);
        if (!stays) showLine(described[ending]);
      }
      await session.close();
    }
  } finally {
    for (const signal of endingSignals) process.off(signal, onSignal);
  }
}
