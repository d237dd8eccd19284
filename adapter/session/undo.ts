/**
 * Undoes the acts of a journal, last first, whoever wrote it: the session that ends, the next one, or `restore`.
 * Every step may be repeated: what is undone already is left as it is.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { releaseLease } from '../cluster/lease.ts';
import { awaitRestored, undoReplacement } from '../cluster/replacement.ts';
import type { PrivilegedHelper } from '../network/helper-client.ts';
import { Problem } from '../problem.ts';
import type { Act, SessionAct } from './journal.ts';

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

/** The two ends of an undo: `begun` when nothing more reaches this computer, `done` when all is as it was. */
export interface Undo {
  /** Hosts file restored and reverse patch acknowledged. */
  readonly begun: Promise<void>;
  /** The old pods run, the agent pods are gone, the Lease is released. Rejects with Problem `undo-incomplete`. */
  readonly done: Promise<void>;
}

/** Starts undoing; computer and cluster side by side. */
export function undo(options: UndoOptions): Undo {
  const session = options.acts.find((act) => act.act === 'session');
  const workstation = undoWorkstation(options, session?.id);
  const cluster = session ? new ClusterUndo(options, session) : undefined;
  const begun = Promise.allSettled([workstation, cluster?.patched]).then(() => undefined);
  const done = Promise.allSettled([workstation, cluster?.restored]).then((results) => {
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
  });
  done.catch(() => {});
  return { begun, done };
}

async function undoWorkstation(options: UndoOptions, session: string | undefined): Promise<void> {
  if (session === undefined || !options.acts.some((act) => act.act === 'hosts')) return;
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

class ClusterUndo {
  /** The API server has taken the reverse patch. */
  readonly patched: Promise<void>;
  /** The workload is as it was and the Lease is released. */
  readonly restored: Promise<void>;

  constructor(options: UndoOptions, session: SessionAct) {
    const records = options.acts.filter((act) => act.act === 'replacement').map((act) => act.record);
    const leases = options.acts.filter((act) => act.act === 'lease').map((act) => act.name);
    const nothing = records.length === 0 && leases.length === 0;
    const opened = nothing
      ? undefined
      : persist(options, () => options.openCluster(session), 'Waiting for the cluster to undo what was changed');
    const patched = (async () => {
      const cluster = await opened;
      if (!cluster) return;
      for (const record of records) {
        const { conflicts } = await persist(
          options,
          () => undoReplacement(cluster, record, options.signal),
          'Waiting for the cluster to take the undo',
        );
        for (const conflict of conflicts) {
          options.notice(`Somebody else changed this meanwhile, so it was left as it is: ${conflict}`);
        }
      }
    })();
    const restored = (async () => {
      await patched;
      const cluster = await opened;
      if (!cluster) return;
      for (const record of records) {
        await persist(
          options,
          () => awaitRestored(cluster, record, options.progress, options.signal),
          'Waiting for the cluster to finish the undo',
        );
      }
      for (const name of leases) {
        await persist(
          options,
          () => releaseLease(cluster, name, session.id, options.signal),
          'Waiting for the cluster to release the Lease',
        );
      }
    })();
    patched.catch(() => {});
    restored.catch(() => {});
    this.patched = patched;
    this.restored = restored;
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
