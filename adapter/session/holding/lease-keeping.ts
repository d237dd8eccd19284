/**
 * The session's hold on its workload: the Lease is got, renewed and followed for as long as the session stands. Whoever has
 * lost it to another is fenced: nothing more is sent to the workload.
 */
import { hostname, userInfo } from 'node:os';
import type { Cluster } from '../../cluster/cluster.ts';
import {
  acquireLease,
  type HeldLease,
  type Holder,
  heartbeatMilliseconds,
  type Leased,
  type LeaseGuest,
  leaseName,
} from '../../cluster/lease.ts';
import type { ResolvedTarget } from '../../cluster/target.ts';
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import type { Outage } from '../agents/outage.ts';
import type { Retries } from '../agents/retries.ts';
import type { Act } from '../journal/journal.ts';
import type { Notice } from '../protocol.ts';
import type { Resources } from '../resources.ts';
import { followHolding } from './holding-watch.ts';
import { lossOf } from './loss.ts';

export interface LeaseKeepingOptions {
  readonly session: string;
  readonly cluster: Cluster;
  readonly journal: { append(act: Act): void };
  /** Is told whether the API server takes the heartbeat. */
  readonly outage: Pick<Outage, 'works' | 'failed'>;
  readonly retries: Pick<Retries, 'hurry'>;
  readonly resources: Pick<Resources, 'defer'>;
  /** The Lease is no longer renewed. */
  readonly ended: AbortSignal;
  /** The Lease is no longer followed. */
  readonly watching: AbortSignal;
  /** All guests, at the start and at each change. */
  onGuests(guests: readonly LeaseGuest[]): void;
  notice(notice: Notice): void;
  lost(problem: Problem): void;
  readonly log: Log;
}

export class LeaseKeeping {
  readonly #options: LeaseKeepingOptions;
  #kept: { readonly target: Leased; readonly lease: HeldLease } | undefined;
  #fenced = false;

  constructor(options: LeaseKeepingOptions) {
    this.#options = options;
  }

  /** Whether there is a Lease to keep; also after it was lost. */
  get isHeld(): boolean {
    return this.#kept !== undefined;
  }

  /** The workload is another session's: nothing more is sent to it. */
  get isFenced(): boolean {
    return this.#fenced;
  }

  /** Who this session is to others. */
  get holder(): Holder {
    return { session: this.#options.session, user: userInfo().username, host: hostname() };
  }

  /** The Lease, the journal first. TargetHeld if another session has it; Problems of the cluster. */
  async acquire(target: ResolvedTarget, signal: AbortSignal): Promise<HeldLease> {
    const { cluster, journal } = this.#options;
    journal.append({ act: 'lease', name: leaseName(target) });
    return acquireLease(cluster, target, this.holder, signal);
  }

  /** Renews and follows a Lease that was got, until the session ends. */
  keep(target: Leased, lease: HeldLease): void {
    this.#kept = { target, lease };
    const timer = setInterval(() => this.renew(), heartbeatMilliseconds);
    this.#options.resources.defer(() => clearInterval(timer));
    this.#follow(target);
  }

  /** A heartbeat out of turn; nothing while there is no Lease. */
  renew(): void {
    if (this.#kept !== undefined) void this.#renew(this.#kept.target, this.#kept.lease);
  }

  async #renew(target: Leased, lease: HeldLease): Promise<void> {
    const { ended, outage, retries, log } = this.#options;
    try {
      await lease.renew(ended);
      // The API server is there again: no tunnel needs to wait for its next attempt.
      if (outage.works('lease')) retries.hurry();
    } catch (error) {
      if (ended.aborted) return;
      const problem = Problem.from(error);
      log.write('warn', 'the Lease could not be renewed', { error });
      if (problem.code === 'session-taken') await this.#lose(target, problem);
      else outage.failed('lease', problem);
    }
  }

  async #lose(target: Leased, taken: Problem): Promise<void> {
    const { cluster, ended } = this.#options;
    // Before it is known why: meanwhile nothing may be sent to what is another's.
    this.#fenced = true;
    this.#leave(await lossOf(cluster, target, taken, ended), true);
  }

  #leave(problem: Problem, fenced: boolean): void {
    this.#fenced ||= fenced;
    this.#options.lost(problem);
  }

  /** Others write into the Lease that they want the workload, or share the session. */
  #follow(target: Leased): void {
    const { cluster, session, watching: signal, log, notice } = this.#options;
    const lost = (problem: Problem, fenced: boolean) => this.#leave(problem, fenced);
    const onGuests = (guests: readonly LeaseGuest[]) => this.#options.onGuests(guests);
    followHolding({ cluster, target, session, onGuests, lost, log }, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      log.write('warn', 'the Lease can no longer be followed', { error });
      const text = `Whether others want to share or take over is not seen from now on: ${Problem.from(error).message}`;
      notice({ level: 'warning', text });
    });
  }
}
