/** What others write into the Lease of a holder: that they want the workload, or that they share the session. */
import { Problem } from '../problem.ts';
import { guestsAnnotation, takeoverAnnotation } from './annotations.ts';
import type { Cluster } from './cluster.ts';
import { display } from './kinds.ts';
import { type Holder, holderName } from './lease.ts';
import {
  answered,
  changeLease,
  type Leased,
  type LeaseGuest,
  type LeaseState,
  leaseName,
  withAnnotations,
} from './lease-object.ts';

/**
 * Asks the session `from` for the workload. Returns what the Lease says then; undefined if it is gone. It is not changed if
 * another session holds it meanwhile.
 */
export async function askToTakeOver(
  cluster: Cluster,
  target: Leased,
  from: string,
  who: Holder,
  signal: AbortSignal,
): Promise<LeaseState | undefined> {
  return await changeLease(
    cluster,
    target.workload.namespace,
    leaseName(target),
    (lease, { session, takeover }) => {
      if (session !== from) return undefined;
      // A holder that steps aside already does so for whoever asks.
      const wish = {
        session: who.session,
        holder: holderName(who),
        since: cluster.api.now().toISOString(),
        ...(takeover?.answered !== undefined && { answered: takeover.answered }),
      };
      return withAnnotations(lease, { [takeoverAnnotation]: JSON.stringify(wish) });
    },
    signal,
  );
}

/** The holder's word that it steps aside, however long its undo takes. Nothing if it holds it no longer. */
export async function answerTakeover(
  cluster: Cluster,
  target: Leased,
  session: string,
  signal: AbortSignal,
): Promise<void> {
  await changeLease(
    cluster,
    target.workload.namespace,
    leaseName(target),
    (lease, state) => {
      if (state.session !== session || state.takeover === undefined) return undefined;
      return answered(cluster, lease, state);
    },
    signal,
  );
}

/** Agents admit no more. */
export interface GuestLimit {
  readonly most: number;
}

/**
 * Enters a guest of the session `of`. Problems session-taken if that session holds the workload no longer, target-held if it
 * has as many guests as its agents admit.
 */
export async function enterGuest(
  cluster: Cluster,
  target: Leased,
  of: string,
  guest: LeaseGuest,
  { most }: GuestLimit,
  signal: AbortSignal,
): Promise<LeaseState> {
  const state = await changeLease(
    cluster,
    target.workload.namespace,
    leaseName(target),
    (lease, { session, guests, holder }) => {
      if (session !== of) return undefined;
      const others = guests.filter((each) => each.session !== guest.session);
      if (others.length >= most) throw tooMany(target, holder, most);
      return withAnnotations(lease, { [guestsAnnotation]: JSON.stringify([...others, guest]) });
    },
    signal,
  );
  if (state?.session === of) return state;
  throw new Problem({
    code: 'session-taken',
    what: `The session on ${display(target.workload)} that you wanted to share has just ended.`,
    why: state ? `${state.holder} has the workload now.` : 'Its workload is free.',
    remedy: 'Start again.',
  });
}

/** Takes a guest out of a Lease of the session's namespace, whoever holds it. May be repeated. */
export async function removeGuest(cluster: Cluster, name: string, session: string, signal: AbortSignal): Promise<void> {
  await changeLease(
    cluster,
    cluster.namespace,
    name,
    (lease, { guests }) => {
      const others = guests.filter((each) => each.session !== session);
      if (others.length === guests.length) return undefined;
      const text = others.length === 0 ? undefined : JSON.stringify(others);
      return withAnnotations(lease, { [guestsAnnotation]: text });
    },
    signal,
  );
}

function tooMany(target: Leased, holder: string, most: number): Problem {
  return new Problem({
    code: 'target-held',
    what: `The session of ${holder} on ${display(target.workload)} has ${most} guests already.`,
    why: 'Its agents admit no more.',
    remedy: 'Wait until one has left, or ask them.',
  });
}
