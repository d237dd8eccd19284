/**
 * The dead-man's switch of one session: whether a reaper in the cluster watches over it, and how that one is doing. It is
 * made beside everything else. Its failure is told by `status` and never fails the session, unless the user demands it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import {
  clusterReaper,
  makeReaper,
  missingForReaper,
  type ReaperState,
  reaperName,
  reaperState,
} from '../cluster/reaper.ts';
import type { ResolvedTarget } from '../cluster/target.ts';
import type { Log } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import type { Journal } from './journal/journal.ts';
import type { ConnectRequest } from './protocol.ts';

const startingPollMilliseconds = 1_000;
const standingPollMilliseconds = 30_000;
/** Somebody who demands a reaper waits for it so long; an image that has yet to be pulled takes its time. */
const startMilliseconds = 90_000;

type Plan =
  | { readonly by: 'session' }
  | { readonly by: 'cluster'; readonly delay: number }
  | { readonly by: 'nobody'; readonly why: string };

export interface SessionReaperOptions {
  readonly cluster: Cluster;
  readonly session: string;
  readonly target: ResolvedTarget;
  readonly request: Pick<ConnectRequest, 'reaper' | 'reaperDelay' | 'agentImage'>;
  readonly journal: Pick<Journal, 'append'>;
  readonly log: Log;
}

export class SessionReaper {
  readonly #options: SessionReaperOptions;
  readonly #stopped = new AbortController();
  readonly #planned: Promise<Plan>;
  readonly #settled = Promise.withResolvers<ReaperState>();
  #running: Promise<void> = Promise.resolve();
  #plan: Plan | undefined;
  #state: ReaperState = { ready: false, why: 'it is not made yet' };

  /** Asks at once what is possible, and changes nothing. */
  constructor(options: SessionReaperOptions) {
    this.#options = options;
    this.#planned = this.#choose(this.#stopped.signal).then((plan) => {
      this.#plan = plan;
      return plan;
    });
  }

  /** Where a reaper is demanded: resolves if there can be one. Problem reaper-unavailable. */
  async assertPossible(): Promise<void> {
    if (this.#options.request.reaper !== 'require') return;
    const plan = await this.#planned;
    if (plan.by === 'nobody') throw this.#unavailable(plan.why);
  }

  /**
   * Makes it, in the background, for a session whose Lease is held. Not before the agent has been rolled out in a
   * Deployment, whose old pods serve until then: a quota may have no room for both.
   */
  begin(rolledOut: Promise<unknown>): void {
    const { request, target } = this.#options;
    const isLate = target.workload.kind === 'Deployment' && request.reaper !== 'require';
    this.#running = this.#run(isLate ? rolledOut : Promise.resolve());
  }

  /** Where a reaper is demanded: resolves when it works. Problem reaper-unavailable. */
  async working(signal: AbortSignal): Promise<void> {
    if (this.#options.request.reaper !== 'require') return;
    const late = delay(startMilliseconds, undefined, { signal, ref: false }).then(() => this.#state);
    const state = await Promise.race([this.#settled.promise, late]);
    if (!state.ready) throw this.#unavailable(state.why);
  }

  /** Nothing more is made from now on; resolves when what was begun has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** What becomes of the session if this computer vanishes, for `status`. */
  get outlook(): string {
    const { request, cluster } = this.#options;
    const vanishes = 'If this computer vanishes:';
    const colleague = `A colleague can run "kubernetes-local restore --namespace ${cluster.namespace}".`;
    const plan = this.#plan;
    if (plan?.by === 'cluster') {
      return `${vanishes} the original comes back after ${inWords(plan.delay)} (the cluster's reaper).`;
    }
    if (plan?.by === 'nobody')
      return `${vanishes} the agent stays, not ready. There is no reaper: ${plan.why}. ${colleague}`;
    if (this.#state.ready) return `${vanishes} the original comes back after ${inWords(request.reaperDelay)} (reaper).`;
    return `${vanishes} the agent stays, not ready, until the reaper works: ${this.#state.why}. ${colleague}`;
  }

  async #choose(signal: AbortSignal): Promise<Plan> {
    const { cluster, request, target, log } = this.#options;
    if (request.reaper === 'never') return { by: 'nobody', why: '"reaper" is "never"' };
    try {
      const [missing, clusterDelay] = await Promise.all([
        missingForReaper(cluster, target.workload, signal),
        clusterReaper(cluster, signal),
      ]);
      // The reaper of all namespaces may not make pods.
      if (clusterDelay !== undefined && target.workload.kind !== 'Pod') return { by: 'cluster', delay: clusterDelay };
      if (missing.length === 0) return { by: 'session' };
      log.write('info', 'there will be no reaper', { missing });
      return { by: 'nobody', why: `you may not ${missing.join(', ')} in namespace ${cluster.namespace}` };
    } catch (error) {
      return { by: 'nobody', why: Problem.from(error).message };
    }
  }

  async #run(begin: Promise<unknown>): Promise<void> {
    const { signal } = this.#stopped;
    const { log } = this.#options;
    try {
      const [, plan] = await Promise.all([Promise.race([begin, rejectedBy(signal)]), this.#planned]);
      signal.throwIfAborted();
      if (plan.by === 'cluster') this.#settled.resolve({ ready: true });
      if (plan.by !== 'session') return;
      await this.#make(signal);
      await this.#follow(signal);
    } catch (error) {
      if (signal.aborted) return;
      const problem = Problem.from(error);
      log.write('warn', 'there is no reaper', { error });
      await this.#planned;
      this.#plan = { by: 'nobody', why: problem.why || problem.what };
      this.#settled.resolve({ ready: false, why: problem.message });
    }
  }

  async #make(signal: AbortSignal): Promise<void> {
    const { cluster, session, target, request, journal, log } = this.#options;
    journal.append({ act: 'reaper', name: reaperName(target.workload) });
    const { imagePullSecrets } = target.pod.spec;
    const plan = { workload: target.workload, session, image: request.agentImage, imagePullSecrets };
    await makeReaper(cluster, { ...plan, delay: request.reaperDelay }, signal);
    this.#state = { ready: false, why: 'it is starting' };
    log.write('info', 'the reaper is made', { name: reaperName(target.workload) });
  }

  /** How it is doing, for as long as the session stands. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { cluster, target, log } = this.#options;
    for (;;) {
      try {
        this.#state = await reaperState(cluster, target.workload, signal);
      } catch (error) {
        signal.throwIfAborted();
        log.write('debug', 'the reaper cannot be looked at', { error });
      }
      if (this.#state.ready) this.#settled.resolve(this.#state);
      const pause = this.#state.ready ? standingPollMilliseconds : startingPollMilliseconds;
      await delay(pause, undefined, { signal, ref: false });
    }
  }

  #unavailable(why: string): Problem {
    return new Problem({
      code: 'reaper-unavailable',
      what: 'There is no reaper in the cluster that would undo this session if this computer vanished.',
      why,
      remedy: 'Ask the cluster administrator for the rights in docs/reaper.md, or set "reaper" to "auto".',
    });
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function inWords(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
