/**
 * Undoes the acts of a journal, last first, whoever wrote it: the session that ends, the next one, or `restore`.
 * Every step may be repeated: what is undone already is left as it is.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { releaseLease } from '../cluster/lease.ts';
import { awaitRestored, undoReplacement } from '../cluster/replacement.ts';
import { removeVolumesFolder } from '../environment/volumes/volumes-folder.ts';
import type { PrivilegedHelper } from '../network/helper/helper-client.ts';
import { Problem } from '../problem.ts';
import type { Act, SessionAct } from './journal.ts';
import { removeLinks } from './volume-links.ts';

/** A cluster may be away for a moment; the undo waits for it this long before it leaves the rest to `restore`. */
const patienceMilliseconds = 120_000;
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
  /** How long the cluster may be unreachable, in milliseconds. */
  readonly patience?: number;
}

/**
 * Undoes computer and cluster side by side. Resolves when the hosts file is restored, the old pods run, the agent pods are
 * gone and the Lease is released. Problem undo-incomplete.
 */
export async function undo(options: UndoOptions): Promise<void> {
  const session = options.acts.find((act) => act.act === 'session');
  if (!session) return;
  const results = await Promise.allSettled([undoWorkstation(options, session.id), undoCluster(options, session)]);
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
  if (!options.acts.some((act) => act.act === 'hosts')) return;
  try {
    await clearHosts(options, session);
  } catch (error) {
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

async function undoCluster(options: UndoOptions, session: SessionAct): Promise<void> {
  const { acts, notice, progress, signal } = options;
  const records = acts.filter((act) => act.act === 'replacement').map((act) => act.record);
  const leases = acts.filter((act) => act.act === 'lease').map((act) => act.name);
  if (records.length === 0 && leases.length === 0) return;
  const cluster = await persist(
    options,
    () => options.openCluster(session),
    'Waiting for the cluster to undo what was changed',
  );
  for (const record of records) {
    const { conflicts } = await persist(
      options,
      () => undoReplacement(cluster, record, signal),
      'Waiting for the cluster to take the undo',
    );
    for (const conflict of conflicts) {
      notice(`Somebody else changed this meanwhile, so it was left as it is: ${conflict}`);
    }
  }
  for (const record of records) {
    await persist(
      options,
      () => awaitRestored(cluster, record, progress, signal),
      'Waiting for the cluster to finish the undo',
    );
  }
  for (const name of leases) {
    await persist(
      options,
      () => releaseLease(cluster, name, session.id, signal),
      'Waiting for the cluster to release the Lease',
    );
  }
}

/** Repeats an idempotent step while the cluster cannot be reached, with capped and jittered back-off. */
async function persist<T>(options: UndoOptions, step: () => Promise<T>, waiting: string): Promise<T> {
  const end = Date.now() + (options.patience ?? patienceMilliseconds);
  let backoff = firstBackoffMilliseconds;
  for (;;) {
    try {
      return await step();
    } catch (error) {
      const problem = Problem.from(error);
      const passing = problem.code === 'cluster-unreachable';
      if (!passing || Date.now() + backoff > end || options.signal.aborted) throw error;
      options.progress(`${waiting}: ${problem.why}`);
    }
    await delay(backoff * (0.75 + Math.random() / 2), undefined, { signal: options.signal });
    backoff = Math.min(backoff * 2, longestBackoffMilliseconds);
  }
}
