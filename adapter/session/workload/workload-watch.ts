/**
 * Watches the workload of a standing session and its pods. What others do to them is told; what takes the agent away ends
 * the session. Nothing is ever done against it.
 * This folder: what others do to the workload and its pods, and what that means to the user.
 */
import { sessionAnnotation } from '../../cluster/annotations.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { controllerFailure } from '../../cluster/failures.ts';
import { display } from '../../cluster/kinds.ts';
import { readLease } from '../../cluster/lease.ts';
import { namespaceState } from '../../cluster/namespace-state.ts';
import type { Pod } from '../../cluster/objects.ts';
import type { ReplacementRecord } from '../../cluster/record.ts';
import { watchPods, watchWorkload } from '../../cluster/watch-workload.ts';
import { changesOf, endsSession, type WorkloadChange } from '../../cluster/workload-changes.ts';
import type { Workload } from '../../cluster/workloads.ts';
import type { Log } from '../../diagnostics/log.ts';
import type { Problem } from '../../problem.ts';
import type { Notice } from '../protocol.ts';
import { PodEvents } from './pod-events.ts';
import { noticeOf, problemOf } from './workload-events.ts';

export interface WorkloadWatchOptions {
  readonly cluster: Cluster;
  readonly record: ReplacementRecord;
  readonly log: Log;
  notice(notice: Notice): void;
  /** The session cannot stand any longer. `gone`: the workload was deleted, and must not be brought back. */
  lost(problem: Problem, gone: boolean): void;
}

/** How often pods are looked at that do not change: some troubles count only when they last. */
const lookMilliseconds = 5_000;

/**
 * Goes on until the session is lost (resolves), the signal aborts (throws its reason), or workload or pods may not be
 * watched any more (throws the Problem).
 */
export async function followWorkload(options: WorkloadWatchOptions, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const pods = followPods(options, both);
  try {
    await Promise.race([followObject(options, both), pods]);
  } catch (error) {
    signal.throwIfAborted();
    // The user's rights end with the namespace, maybe before the workload does.
    const { namespace } = options.record.workload;
    const state = await namespaceState(options.cluster, namespace, signal).catch(() => 'unknown' as const);
    if (state !== 'ending' && state !== 'gone') throw error;
    options.lost(problemOf(options.record, { kind: 'deleted', why: '' }, undefined, state), true);
  } finally {
    ended.abort();
    await pods.catch(() => {});
  }
}

async function followObject(options: WorkloadWatchOptions, signal: AbortSignal): Promise<void> {
  const { cluster, record, log } = options;
  let before: Workload | undefined;
  let refusal = '';
  for await (const now of watchWorkload(cluster, record, signal)) {
    for (const change of changesOf(record, before, now)) {
      log.write('info', 'somebody else has changed the workload', { change });
      const notice = noticeOf(record, change);
      if (notice) options.notice(notice);
      if (endsSession(change)) {
        await end(options, change, now, signal);
        return;
      }
    }
    refusal = tellRefusal(options, now, refusal);
    before = now;
  }
}

async function end(
  { cluster, record, log, lost }: WorkloadWatchOptions,
  change: WorkloadChange,
  now: Workload | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = record.workload;
  const [lease, state] = await Promise.allSettled([
    readLease(cluster, record, signal),
    namespaceState(cluster, namespace, signal),
  ]);
  signal.throwIfAborted();
  const holder = lease.status === 'fulfilled' ? lease.value : undefined;
  if (holder !== undefined && holder.session !== record.session) {
    // Whoever has taken the Lease has undone this session first; whoever watches the Lease tells of it.
    log.write('info', 'the workload was taken over', { holder: holder.holder });
    return;
  }
  const isOurs = now !== undefined && isMarked(record, now);
  const gone = change.kind === 'deleted' || (change.kind === 'remade' && !isOurs);
  lost(problemOf(record, change, now, state.status === 'fulfilled' ? state.value : 'unknown'), gone);
}

function isMarked(record: ReplacementRecord, { object }: Workload): boolean {
  return object.metadata.annotations[sessionAnnotation] === record.session;
}

/** Told once for each reason: a quota, an admission rule. */
function tellRefusal({ record, notice }: WorkloadWatchOptions, now: Workload | undefined, told: string): string {
  const failure = now && controllerFailure(now);
  if (failure === undefined) return '';
  if (failure.key !== told) {
    notice({ level: 'warning', text: `The cluster does not bring ${display(record.workload)} up. ${failure.why}` });
  }
  return failure.key;
}

async function followPods({ cluster, record, notice }: WorkloadWatchOptions, signal: AbortSignal): Promise<void> {
  const events = new PodEvents(record, notice);
  let latest: readonly Pod[] = [];
  const timer = setInterval(() => events.look(latest), lookMilliseconds);
  try {
    for await (const pods of watchPods(cluster, record, signal)) {
      latest = pods;
      events.look(pods);
    }
  } finally {
    clearInterval(timer);
  }
}
