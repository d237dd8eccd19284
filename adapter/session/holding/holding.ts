/**
 * How a session comes to a target that another one holds, or has left its marks on: it is told who that is, and waits, shares,
 * takes over, or gives up. What it changes is in the journal first, as everything.
 * This folder: who holds the workload: the Lease kept, waited for, shared and taken over.
 */
import type { Cluster } from '../../cluster/cluster.ts';
import { display } from '../../cluster/kinds.ts';
import {
  acquireLease,
  type HeldLease,
  type Holder,
  heldBy,
  type Leased,
  type LeaseState,
  leaseName,
  readLease,
  TargetHeld,
} from '../../cluster/lease.ts';
import { followLease } from '../../cluster/lease-watch.ts';
import { askToTakeOver } from '../../cluster/lease-wishes.ts';
import { readRecord } from '../../cluster/leftover.ts';
import { awaitRestored, undoReplacement } from '../../cluster/replacement.ts';
import { Problem } from '../../problem.ts';
import type { Act } from '../journal/journal.ts';
import type { ConnectRequest, Notice } from '../protocol.ts';
import type { Ask } from '../questions/ask.ts';
import type { HeldPolicy, HeldQuestion } from '../questions/held-question.ts';
import { shortTime } from './holding-text.ts';

/** So long a holder has to answer to a wish; one that is stopped or cut off does not. */
const answerMilliseconds = 20_000;

export interface HoldingOptions {
  readonly cluster: Cluster;
  readonly request: Pick<ConnectRequest, 'onHeld' | 'waitLimit'>;
  /** Who asks. */
  readonly holder: Holder;
  readonly ask: Pick<Ask, 'held'>;
  readonly journal: { append(act: Act): void };
  progress(text: string): void;
  notice(notice: Notice): void;
  /** Milliseconds that a holder has to answer; for tests. */
  readonly patience?: number;
}

/** The Lease is this session's, or the session of another is to be shared. */
export type Obtained =
  | { readonly kind: 'lease'; readonly lease: HeldLease }
  | { readonly kind: 'guest'; readonly of: LeaseState };

/**
 * Does what "onHeld" says about a target that is held. Whoever gets the Lease calls `undoLeftover` next. Rejects with `held`
 * itself if that is all that can be done, with other Problems target-held, and those of the cluster.
 */
export async function obtainHeld(options: HoldingOptions, held: TargetHeld, signal: AbortSignal): Promise<Obtained> {
  const { cluster } = options;
  const { target } = held;
  const state = await readLease(cluster, target, signal);
  if (!state?.alive) {
    const isMarked = (await readRecord(cluster, target, signal)) !== undefined;
    // Otherwise its session has just ended.
    if (isMarked && !(await mayUndoDead(options, held, signal))) throw held;
    return { kind: 'lease', lease: await acquire(options, target, signal) };
  }
  switch (await policyFor(options, target, state, signal)) {
    case 'wait':
      return { kind: 'lease', lease: await acquireWhenFree(options, target, signal) };
    case 'share':
      return { kind: 'guest', of: state };
    case 'take-over':
      return { kind: 'lease', lease: await takeOver(options, target, state, signal) };
    default:
      throw held;
  }
}

/** Puts the original back where a session that is over has left its agent. Only for whoever has the Lease. */
export async function undoLeftover(options: HoldingOptions, target: Leased, signal: AbortSignal): Promise<void> {
  const { cluster, holder, journal, progress, notice } = options;
  const record = await readRecord(cluster, target, signal);
  if (record === undefined || record.session === holder.session) return;
  progress(`Putting the original of ${display(target.workload)} back, which another session left replaced`);
  // From here on this session's own undo would go on with it.
  journal.append({ act: 'replacement', record });
  const { conflicts } = await undoReplacement(cluster, record, signal);
  for (const conflict of conflicts) {
    notice({ level: 'warning', text: `Somebody else changed this meanwhile, so it was left as it is: ${conflict}` });
  }
  await awaitRestored(cluster, record, progress, signal);
}

/** Whether the user wants a dead session to be undone: whoever waits or takes over has said so. */
async function mayUndoDead({ request, ask }: HoldingOptions, held: TargetHeld, signal: AbortSignal): Promise<boolean> {
  if (request.onHeld !== 'ask') return request.onHeld === 'wait' || request.onHeld === 'take-over';
  const question: HeldQuestion = {
    text: `${held.what}\n${held.why}`,
    choices: [
      { answer: 'take-over', text: 'Put the original back, and go on.' },
      { answer: 'cancel', text: 'Cancel.' },
    ],
  };
  return (await ask.held(question, signal)) === 'take-over';
}

async function policyFor(
  { request, ask }: HoldingOptions,
  target: Leased,
  { holder, since }: LeaseState,
  signal: AbortSignal,
): Promise<HeldPolicy | 'cancel' | 'impossible'> {
  if (request.onHeld !== 'ask') return request.onHeld;
  const workload = display(target.workload);
  const question: HeldQuestion = {
    text: `${workload} is replaced by ${holder} since ${shortTime(since)}.`,
    choices: [
      { answer: 'wait', text: 'Wait until it is free.' },
      {
        answer: 'share',
        text: 'Share their session; your program has what the workload has and reaches, but gets no requests.',
      },
      { answer: 'take-over', text: 'Take it over; they are told, and their session is undone.' },
      { answer: 'cancel', text: 'Cancel.' },
    ],
  };
  return await ask.held(question, signal);
}

async function acquire(
  { cluster, holder, journal }: HoldingOptions,
  target: Leased,
  signal: AbortSignal,
  evenFrom?: string,
): Promise<HeldLease> {
  journal.append({ act: 'lease', name: leaseName(target) });
  return await acquireLease(cluster, target, holder, signal, { ...(evenFrom !== undefined && { evenFrom }) });
}

/** Several may wait; whoever is not the first to see it free waits on. */
async function acquireWhenFree(options: HoldingOptions, target: Leased, signal: AbortSignal): Promise<HeldLease> {
  const { waitLimit } = options.request;
  const limit = waitLimit === undefined ? undefined : AbortSignal.timeout(waitLimit);
  const both = limit === undefined ? signal : AbortSignal.any([signal, limit]);
  let last: LeaseState | undefined;
  try {
    for (;;) {
      for await (const state of followLease(options.cluster, target, both)) {
        if (!state?.alive) break;
        if (state.session !== last?.session) {
          const since = shortTime(state.since);
          options.progress(`Waiting for ${display(target.workload)}: ${state.holder} has it since ${since}`);
        }
        last = state;
      }
      try {
        return await acquire(options, target, both);
      } catch (error) {
        if (!(error instanceof TargetHeld)) throw error;
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    if (limit?.aborted) throw waitedInVain(target, last, waitLimit ?? 0);
    throw error;
  }
}

/**
 * The holder is told by its Lease, undoes its session and releases it. One that does not answer is fenced: the Lease is taken
 * by its resourceVersion, so the holder's next heartbeat fails, and it leaves the workload alone.
 */
async function takeOver(
  options: HoldingOptions,
  target: Leased,
  { session: from, holder }: LeaseState,
  signal: AbortSignal,
): Promise<HeldLease> {
  const { cluster, progress, notice } = options;
  const workload = display(target.workload);
  progress(`Asking ${holder} for ${workload}`);
  const asked = await askToTakeOver(cluster, target, from, options.holder, signal);
  const end = performance.now() + (options.patience ?? answerMilliseconds);
  for (;;) {
    const answer = asked?.session === from ? await answerOf(options, target, from, end, signal) : 'free';
    if (answer !== 'free') progress(`${holder} does not answer; taking ${workload} over`);
    try {
      const lease = await acquire(options, target, signal, answer === 'silent' ? from : undefined);
      const how = answer !== 'free' ? ' They did not answer, so their session was undone for them.' : '';
      notice({ level: 'info', text: `You took ${workload} over from ${holder}.${how}` });
      return lease;
    } catch (error) {
      // It may have answered in the last moment.
      const now = await readLease(cluster, target, signal);
      if (!(error instanceof TargetHeld) || now?.session !== from) throw error;
    }
  }
}

/**
 * `free`: the Lease was released. `expired`: the holder stopped to renew it. `silent`: it renews it, and does not answer.
 * Problem target-held if it is a third one's.
 */
async function answerOf(
  { cluster, progress }: HoldingOptions,
  target: Leased,
  from: string,
  end: number,
  signal: AbortSignal,
): Promise<'free' | 'expired' | 'silent'> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), Math.max(0, end - performance.now()));
  let isAnswered = false;
  try {
    for await (const state of followLease(cluster, target, AbortSignal.any([signal, patience.signal]))) {
      if (state === undefined) break;
      if (!state.alive) return 'expired';
      if (state.session !== from) throw heldBy(target, state);
      if (state.takeover?.answered === undefined || isAnswered) continue;
      isAnswered = true;
      clearTimeout(timer);
      progress(`${state.holder} steps aside: their session is being undone`);
    }
    return 'free';
  } catch (error) {
    signal.throwIfAborted();
    if (patience.signal.aborted) return 'silent';
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function waitedInVain(target: Leased, last: LeaseState | undefined, limit: number): Problem {
  return new Problem({
    code: 'target-held',
    what: `${display(target.workload)} was not free within ${Math.round(limit / 1000)} s.`,
    why: last === undefined ? '' : `${last.holder} has it since ${last.since}.`,
    remedy: 'Ask them, wait longer (--wait=30m), share it (--share), or take it over (--force).',
  });
}
