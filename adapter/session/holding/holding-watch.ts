/** What others write into this session's Lease while it stands: who wants the workload, who shares the session, who took it. */
import type { Cluster } from '../../cluster/cluster.ts';
import { display } from '../../cluster/kinds.ts';
import { type Leased, type LeaseGuest, type Takeover, takenFrom } from '../../cluster/lease.ts';
import { followLease } from '../../cluster/lease-watch.ts';
import { answerTakeover } from '../../cluster/lease-wishes.ts';
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { shortTime } from './holding-text.ts';
import { lossOf } from './loss.ts';

export interface HoldingWatchOptions {
  readonly cluster: Cluster;
  readonly target: Leased;
  readonly session: string;
  /** All guests, at the start and at each change. */
  onGuests(guests: readonly LeaseGuest[]): void;
  /** The session steps aside; `fenced`: it has been pushed aside, and the workload is another's. */
  lost(problem: Problem, fenced: boolean): void;
  readonly log: Log;
}

/** Until the session is lost or the signal is aborted; Problems of the cluster. */
export async function followHolding(options: HoldingWatchOptions, signal: AbortSignal): Promise<void> {
  const { cluster, target, session, onGuests, lost, log } = options;
  for await (const state of followLease(cluster, target, signal)) {
    if (state?.session !== session) {
      const taken = takenFrom(target, state);
      lost(state === undefined ? await lossOf(cluster, target, taken, signal) : taken, true);
      return;
    }
    onGuests(state.guests);
    if (state.takeover === undefined) continue;
    try {
      await answerTakeover(cluster, target, session, signal);
    } catch (error) {
      signal.throwIfAborted();
      // Whoever asked waits for an answer, and then does not wait for the undo.
      log.write('warn', 'the wish to take the workload over could not be answered', { error });
    }
    lost(askedFor(target, state.takeover), false);
    return;
  }
}

function askedFor(target: Leased, { holder, since }: Takeover): Problem {
  return new Problem({
    code: 'session-taken',
    what: `${holder} takes ${display(target.workload)} over.`,
    why: `They asked for it at ${shortTime(since)}.`,
    remedy:
      'Your session is being undone, cleanly. To have it again after them, start with "onHeld": "wait" (--wait), or talk to them.',
  });
}
