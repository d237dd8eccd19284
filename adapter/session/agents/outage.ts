/** What of the road to the cluster does not work now, and telling the user: once when it begins, once when it is over. */

import type { Log } from '../../diagnostics/log.ts';
import { elapsed } from '../../elapsed.ts';
import { Problem } from '../../problem.ts';
import { dialPatienceMilliseconds } from '../../tunnel/tunnels.ts';
import type { Notice, Status } from '../protocol.ts';

/** What is over within this time is no news: no connection that waited was given up. */
const quietMilliseconds = 3_000;

/** The heartbeat of the Lease, or the tunnel to a pod. */
export type Part = 'lease' | `pod ${string}`;

export interface OutageOptions {
  notice(notice: Notice): void;
  /** Asks the API server for something; `works` or `failed` tells of the Lease what came of it. */
  probe(): void;
  readonly log: Log;
  /** Milliseconds for which an outage is not told; for tests. */
  readonly quiet?: number;
}

interface Failure {
  readonly at: Date;
  readonly since: number;
  problem: Problem;
}

export class Outage {
  readonly #options: OutageOptions;
  readonly #failures = new Map<Part, Failure>();
  #first: Failure | undefined;
  #told = false;
  /** When the API server answered last, as `elapsed`. */
  #heard = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  /** A part does not work, or still does not. */
  failed(part: Part, reason: unknown): void {
    const problem = Problem.from(reason);
    const known = this.#failures.get(part);
    if (known !== undefined) {
      // A pod whose tunnel broke is the symptom; what the next attempt says is the cause.
      known.problem = problem;
      return;
    }
    const failure = { at: new Date(), since: elapsed(), problem };
    this.#failures.set(part, failure);
    this.#options.log.write('warn', 'the road to the cluster is broken', { part, problem: problem.message });
    if (this.#first !== undefined) return;
    this.#first = failure;
    this.#timer = setTimeout(() => this.#tell(), this.#options.quiet ?? quietMilliseconds).unref();
    // Until it is told it is known whether it is the cluster or one pod.
    if (part !== 'lease') this.#options.probe();
  }

  /** A part works; true if it did not before. */
  works(part: Part): boolean {
    if (part === 'lease') this.#heard = elapsed();
    const wasBroken = this.#failures.delete(part);
    if (wasBroken) {
      this.#options.log.write('info', 'this part of the road works again', { part });
      this.#endIfAllWell(true);
    }
    return wasBroken;
  }

  /** The pod is no more: nothing is to be repaired. */
  forget(part: Part): void {
    if (this.#failures.delete(part)) this.#endIfAllWell(false);
  }

  /** What `status` shows; undefined if all works. */
  get status(): NonNullable<Status['connection']>['outage'] {
    if (this.#first === undefined) return undefined;
    const problem = this.#problem();
    return { since: this.#first.at.toISOString(), why: problem.message };
  }

  /** Nobody wants to know any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#failures.clear();
    this.#first = undefined;
  }

  #tell(): void {
    const first = this.#first;
    if (first === undefined) return;
    this.#told = true;
    const problem = this.#problem();
    const text = `${this.#what(problem)} since ${first.at.toLocaleTimeString('en-GB')}; trying again. ${problem.message} `;
    const patience = `New connections wait up to ${dialPatienceMilliseconds / 1000} s; your program and its debugger go on.`;
    this.#options.notice({ level: 'warning', text: text + patience });
  }

  #what({ code }: Problem): string {
    if (code === 'credentials-refused') return 'The cluster has not accepted your credentials';
    const isHeard = this.#heard >= (this.#first?.since ?? 0) && !this.#failures.has('lease');
    if (code === 'cluster-unreachable' || !isHeard) return 'The cluster cannot be reached';
    const pods = [...this.#failures.keys()].map((part) => part.replace(/^pod /, ''));
    return `The agent in ${pods.join(', ')} cannot be reached`;
  }

  /** The one that says most: a refused credential, then an API server that is away. */
  #problem(): Problem {
    const problems = [...this.#failures.values()].map(({ problem }) => problem);
    const codes = ['credentials-refused', 'cluster-unreachable'];
    const best = codes.map((code) => problems.find((problem) => problem.code === code)).find(Boolean);
    return best ?? problems[0] ?? Problem.from(new Error('unknown'));
  }

  /** `back`: something works again; else what was broken is gone. */
  #endIfAllWell(back: boolean): void {
    const first = this.#first;
    if (first === undefined || this.#failures.size > 0) return;
    clearTimeout(this.#timer);
    this.#first = undefined;
    if (!this.#told) return;
    this.#told = false;
    const seconds = Math.max(1, Math.round((elapsed() - first.since) / 1000));
    const text = back
      ? `Everything is reachable again, after ${lasted(seconds)}. Connections that were lost have been reset.`
      : `The pods that could not be reached are gone; what is there now is reached.`;
    this.#options.notice({ level: 'info', text });
  }
}

function lasted(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
