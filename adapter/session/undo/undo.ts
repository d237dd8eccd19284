/**
 * Undoes the acts of a journal, last first, whoever wrote it: the session that ends, the next one, or `restore`.
 * Every step may be repeated: what is undone already is left as it is.
 * This folder: undoing a journal, and the replay of one that nobody owns any more.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../cluster/cluster.ts';
import { heartbeatMilliseconds, readLease, releaseLease, renewLease } from '../../cluster/lease.ts';
import { removeGuest } from '../../cluster/lease-wishes.ts';
import { type NamespaceState, namespaceState } from '../../cluster/namespace-state.ts';
import { removeReaper } from '../../cluster/reaper.ts';
import { awaitRestored, type ReplacementRecord, undoReplacement } from '../../cluster/replacement.ts';
import { removeVolumesFolder } from '../../environment/volumes/volumes-folder.ts';
import type { PrivilegedHelper } from '../../network/helper/helper-client.ts';
import { isFreeOf } from '../../network/hosts/hosts-writer.ts';
import { Problem } from '../../problem.ts';
import type { Act, SessionAct } from '../journal/journal.ts';
import { removeLinks } from '../program/volume-links.ts';
import { Step } from '../timings.ts';
import { UndoHeartbeat } from './undo-heartbeat.ts';

/** A cluster may be away for a moment; the undo waits for it this long before it leaves the rest to `restore`. */
const patienceMilliseconds = 120_000;
/** An API server that was started a moment ago refuses everything until it has read the Roles. */
const refusedMilliseconds = 10_000;
const firstBackoffMilliseconds = 250;
const longestBackoffMilliseconds = 10_000;

export interface UndoOptions {
  readonly acts: readonly Act[];
  /** Opened only if there is something to undo in the cluster. */
  openCluster(session: SessionAct): Promise<Cluster>;
  /** Started only if there is something to undo on the computer. */
  openHelper(): Promise<PrivilegedHelper>;
  progress(text: string): void;
  notice(text: string): void;
  signal: AbortSignal;
  /** Whose parts are timed. */
  readonly step?: Step;
  /** How long the cluster may be unreachable, in milliseconds. */
  readonly patience?: number;
}

/** With the step whose parts are timed. */
type TimedUndo = UndoOptions & { readonly step: Step };

/**
 * Undoes computer and cluster side by side. Resolves when the hosts file is restored, the old pods run, the agent pods are
 * gone and the Lease is released. Problem undo-incomplete.
 */
export async function undo(options: UndoOptions): Promise<void> {
  const session = options.acts.find((act) => act.act === 'session');
  if (!session) return;
  const { step = new Step('the undo') } = options;
  const results = await Promise.allSettled([
    step.time('this computer', () => undoWorkstation(options, session.id)),
    step.time('the cluster', (part) => undoClusterOrEnd({ ...options, step: part }, session)),
  ]);
  const failures = results
    .filter((result) => result.status === 'rejected')
    .map((result) => Problem.from(result.reason));
  const [first] = failures;
  if (first === undefined) return;
  throw new Problem(
    {
      code: 'undo-incomplete',
      what: 'Not everything could be undone.',
      why: failures.map((failure) => failure.message).join(' '),
      remedy: 'Run "kubernetes-local restore" when the cause is gone; it goes on where this stopped.',
    },
    { cause: first },
  );
}

/** Hosts file and files side by side: one that cannot be undone does not keep the other. */
async function undoWorkstation(options: UndoOptions, session: string): Promise<void> {
  const links = options.acts.filter((act) => act.act === 'link').toReversed();
  const folders = options.acts.filter((act) => act.act === 'volumes').map(({ folder }) => folder);
  const results = await Promise.allSettled([
    undoHosts(options, session),
    removeLinks(links),
    ...folders.map(removeVolumesFolder),
  ]);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}

async function undoHosts(options: UndoOptions, session: string): Promise<void> {
  const files = options.acts.filter((act) => act.act === 'hosts').map(({ file }) => file);
  if (files.length === 0) return;
  try {
    await clearHosts(options, session);
  } catch (error) {
    // A helper that is told to end, as by a log-out, undoes what it did before it goes.
    if ((await Promise.all(files.map((file) => isFreeOf(file, session)))).every(Boolean)) return;
    // A helper that was killed a moment ago looks alive until it is asked; the next one is a new one.
    if (Problem.from(error).code !== 'helper-failed') throw error;
    await clearHosts(options, session);
  }
}

async function clearHosts(options: UndoOptions, session: string): Promise<void> {
  const helper = await options.openHelper();
  try {
    await helper.clearHosts(session, options.signal);
  } finally {
    await helper[Symbol.asyncDispose]();
    // Only then does whoever lends helpers know that this one is gone.
    await helper.closed;
  }
}

/** With its namespace all that a session did in the cluster is gone, and so may be the rights to look. */
async function undoClusterOrEnd(options: TimedUndo, session: SessionAct): Promise<void> {
  const opened: Cluster[] = [];
  const openCluster = async (act: SessionAct) => {
    const cluster = await options.openCluster(act);
    opened.push(cluster);
    return cluster;
  };
  try {
    await undoCluster({ ...options, openCluster }, session);
  } catch (error) {
    const [cluster] = opened;
    const isGone = cluster
      ? ['ending', 'gone'].includes(await stateOf(cluster, session.namespace, options.signal))
      : Problem.from(error).code === 'namespace-unknown';
    if (!isGone) throw error;
    options.notice(`Namespace ${session.namespace} is deleted, and with it all that the session did in the cluster.`);
  }
}

/** Whoever cannot ask has another trouble, which is told. */
function stateOf(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<NamespaceState> {
  return namespaceState(cluster, namespace, signal).catch(() => 'unknown');
}

async function undoCluster(options: TimedUndo, session: SessionAct): Promise<void> {
  const { acts, notice, progress, signal, step } = options;
  const recorded = acts.filter((act) => act.act === 'replacement').map((act) => act.record);
  const guests = acts.filter((act) => act.act === 'guest').map((act) => act.lease);
  const leases = acts.filter((act) => act.act === 'lease').map((act) => act.name);
  if (recorded.length + leases.length + guests.length === 0) return;
  const gone = acts.some((act) => act.act === 'gone');
  const cluster = await persist(
    options,
    () => options.openCluster(session),
    'Waiting for the cluster to undo what was changed',
  );
  for (const name of guests) {
    const waiting = 'Waiting for the cluster to take you out of the Lease';
    await persist(options, () => removeGuest(cluster, name, session.id, signal), waiting);
  }
  await using heartbeat = new UndoHeartbeat(async (ended) => {
    for (const name of leases) await renewLease(cluster, name, session.id, ended);
  }, heartbeatMilliseconds);
  const records = await persist(
    options,
    () => ownRecords(cluster, recorded, session.id, signal),
    'Waiting for the cluster to undo what was changed',
  );
  for (const record of records) {
    const undoOne = () => undoReplacement(cluster, record, signal, gone);
    const { conflicts } = await step.time('the definition', () =>
      persist(options, undoOne, 'Waiting for the cluster to take the undo'),
    );
    for (const conflict of conflicts) {
      notice(`Somebody else changed this meanwhile, so it was left as it is: ${conflict}`);
    }
  }
  // The definition is as it was: a reaper has nothing left to do, and its pod ends while the others start.
  const removed = step.time('the reaper', () => removeReapers(options, cluster, session));
  // Its failure is awaited below.
  removed.catch(() => {});
  for (const record of records) {
    const awaitOne = () => awaitRestored(cluster, record, progress, signal, gone);
    await step.time('the old pods', () => persist(options, awaitOne, 'Waiting for the cluster to finish the undo'));
  }
  await removed;
  // The last heartbeat must not meet the deletion.
  await heartbeat[Symbol.asyncDispose]();
  for (const name of leases) {
    const release = () => releaseLease(cluster, name, session.id, signal);
    await step.time('the Lease', () => persist(options, release, 'Waiting for the cluster to release the Lease'));
  }
}

/**
 * Without a bare pod that another session has: between its deletion and its return nothing but the Lease says whose it is.
 * All other workloads carry the mark of whoever has them.
 */
async function ownRecords(
  cluster: Cluster,
  records: readonly ReplacementRecord[],
  session: string,
  signal: AbortSignal,
): Promise<readonly ReplacementRecord[]> {
  const own = records.map(async (record) => {
    if (record.workload.kind !== 'Pod') return [record];
    const state = await readLease(cluster, record, signal);
    return state?.alive && state.session !== session ? [] : [record];
  });
  return (await Promise.all(own)).flat();
}

async function removeReapers(options: UndoOptions, cluster: Cluster, session: SessionAct): Promise<void> {
  const names = options.acts.filter((act) => act.act === 'reaper').map((act) => act.name);
  for (const name of names) {
    const reaper = { namespace: session.namespace, name, session: session.id };
    const waiting = 'Waiting for the cluster to remove the reaper';
    await persist(options, () => removeReaper(cluster, reaper, options.signal), waiting);
  }
}

/** Repeats an idempotent step while the cluster cannot be reached or has just been started, with capped and jittered back-off. */
async function persist<T>(options: UndoOptions, step: () => Promise<T>, waiting: string): Promise<T> {
  // Not the time of day, which somebody may set meanwhile.
  const begun = performance.now();
  const patience = options.patience ?? patienceMilliseconds;
  let backoff = firstBackoffMilliseconds;
  for (;;) {
    try {
      return await step();
    } catch (error) {
      const problem = Problem.from(error);
      const bearable = problem.code === 'right-missing' ? Math.min(refusedMilliseconds, patience) : patience;
      const passing = problem.code === 'cluster-unreachable' || problem.code === 'right-missing';
      if (!passing || performance.now() + backoff > begun + bearable || options.signal.aborted) throw error;
      options.progress(`${waiting}: ${problem.why}`);
    }
    await delay(backoff * (0.75 + Math.random() / 2), undefined, { signal: options.signal });
    backoff = Math.min(backoff * 2, longestBackoffMilliseconds);
  }
}
