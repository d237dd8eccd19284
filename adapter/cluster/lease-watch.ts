/** What the Lease of a workload says, again at each change and when it expires. */
import { setTimeout as delay } from 'node:timers/promises';
import { isPassing } from './api.ts';
import { hasStatus } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { type Leased, type LeaseState, leaseName, leasePath, readLeaseObject, stateOf } from './lease-object.ts';
import { type Lease, leaseSchema } from './objects.ts';
import { watchList } from './watch.ts';

/** Milliseconds between two looks at a Lease that may not be watched. */
const lookMilliseconds = 1_000;
/** A Lease is looked at so much later than its end, for clocks tick unevenly. */
const afterEndMilliseconds = 100;

/**
 * undefined: there is none. Where the user may not watch Leases it is read again each second. Ends only by the signal
 * (throws its reason) or a Problem of the cluster; while the cluster is away nothing is said but an expiry.
 */
export async function* followLease(
  cluster: Cluster,
  target: Leased,
  signal: AbortSignal,
): AsyncGenerator<LeaseState | undefined> {
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const leases = watchedOrRead(cluster, target, ended);
  let next = leases.next();
  next.catch(() => {});
  let latest: Lease | undefined;
  let isKnown = false;
  try {
    for (;;) {
      const state = latest && stateOf(cluster, latest);
      if (isKnown) yield state;
      const pause = new AbortController();
      const expiry = state?.alive ? [delay(state.left + afterEndMilliseconds, 'over' as const, pause)] : [];
      for (const timer of expiry) timer.catch(() => {});
      const first = await Promise.race([next, ...expiry]).finally(() => pause.abort());
      if (first === 'over') continue;
      if (first.done) return;
      latest = first.value;
      isKnown = true;
      next = leases.next();
      next.catch(() => {});
    }
  } finally {
    stop.abort();
    await next.catch(() => {});
  }
}

async function* watchedOrRead(
  cluster: Cluster,
  target: Leased,
  signal: AbortSignal,
): AsyncGenerator<Lease | undefined, undefined> {
  const { namespace } = target.workload;
  const name = leaseName(target);
  const query = { fieldSelector: `metadata.name=${name}` };
  try {
    for await (const [lease] of watchList(cluster.api, leasePath(namespace), query, leaseSchema, signal)) yield lease;
  } catch (error) {
    signal.throwIfAborted();
    if (!hasStatus(error, 403)) throw error;
  }
  for (;;) {
    try {
      yield await readLeaseObject(cluster, namespace, name, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
    }
    await delay(lookMilliseconds, undefined, { signal });
  }
}
