/** A session of a command in a terminal: progress on standard error, undone on every way out. */
import { Problem } from '../problem.ts';
import { SessionClient } from '../session/client/client.ts';
import type { SessionRequest } from '../session/client/session-request.ts';
import type { Ending, Keep } from '../session/protocol.ts';
import { sessionFiles } from '../session/state-folder.ts';
import { Step } from '../session/timings.ts';
import { askAtTerminal } from './ask-at-terminal.ts';
import { commandLog } from './command-log.ts';
import { seeUndo } from './lost-session.ts';
import { ownDaemons } from './own-daemons.ts';
import { showLine, showNotice, showProgress } from './terminal.ts';
import { describeTiming } from './timings-view.ts';

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
  { key, request, timings = false }: SessionRequest,
  body: (session: SessionClient, ended: AbortSignal, endedBy: EndedBy) => Promise<T>,
  keep?: Keep,
): Promise<T> {
  const ended = new AbortController();
  // The clock of a process begins with it.
  const connecting = new Step('connect', undefined, 0);
  connecting.begin('the command starts', 0).end();
  let disconnecting: Step | undefined;
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
    disconnecting = new Step('disconnect');
    ended.abort(new Problem({ code: 'cancelled', what: 'Ended by the user.', why: '', remedy: '' }));
  };
  for (const signal of endingSignals) process.on(signal, onSignal);
  try {
    const session = await SessionClient.connect(
      key,
      request,
      ownDaemons,
      {
        progress: showProgress,
        notice: showNotice,
        ask: askAtTerminal,
        step: connecting,
        timings: ({ of, timing }) => {
          if (of === 'disconnect') for (const each of timing.steps) disconnecting?.attach(each);
        },
        lost: (problem) => {
          loss = problem;
          ended.abort(problem);
        },
      },
      ended.signal,
    ).finally(() => {
      connecting.end();
      if (timings) showTiming(connecting);
    });
    for (const { secret, value } of session.connection.environment) if (secret) commandLog.redactor.add(value);
    let stays = false;
    try {
      const result = await body(session, ended.signal, () => endedBy);
      if (loss) throw loss;
      stays = keep !== undefined && !ended.signal.aborted;
      return result;
    } finally {
      disconnecting ??= new Step('disconnect');
      if (loss === undefined) {
        const ending = await session.leave(undoBudgetMilliseconds, stays ? keep : undefined);
        if (!stays) showLine(described[ending]);
      } else {
        await seeUndo(session, loss, undoBudgetMilliseconds);
      }
      await session.close();
      disconnecting.end();
      if (timings && !stays) showTiming(disconnecting);
    }
  } finally {
    for (const signal of endingSignals) process.off(signal, onSignal);
  }
}

function showTiming(step: Step): void {
  showLine('Where the time went:');
  for (const line of describeTiming(step.timing)) showLine(line);
}
