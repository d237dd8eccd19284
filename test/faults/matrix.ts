/** Runs cells of the fault matrix, several at a time, each in a lane of its own, and says how each of them ended. */
import type { TestCluster } from '../cluster/cluster.ts';
import type { Kubectl } from '../stage/kubectl.ts';
import { Api } from './api.ts';
import { type Cell, isShared } from './cells.ts';
import { Gate } from './gate.ts';
import { actsIn } from './journal-watch.ts';
import { closeLane, type Lane, openLane } from './lane.ts';
import { processesOf, signal } from './processes.ts';
import { type FaultySession, peacefulSession, sessionIn } from './session.ts';
import { type Remedy, type Settled, settle } from './settle.ts';
import { computerTraces, stateFolder, type Traces, takeTraces } from './traces.ts';
import { strikeOwn, strikeShared } from './victims.ts';

export interface CellResult extends Cell {
  readonly passed: boolean;
  readonly remedy: Remedy;
  /** From the end of the blow until all was as before. */
  readonly seconds: number;
  readonly hash: string;
  readonly problems: readonly string[];
  readonly ended: string;
}

export interface MatrixOptions {
  readonly cluster: TestCluster;
  readonly kubectl: Kubectl;
  readonly product: readonly string[];
  /** How many sessions there are at once, and how many of these may be at work rather than wait. */
  readonly lanes: number;
  readonly atWork: number;
  say(text: string): void;
  done(result: CellResult): void;
}

/** A lane with what it looked like before any fault. */
interface Ready {
  readonly lane: Lane;
  readonly before: Traces;
}

/** A step that lasts a few milliseconds may be over before the daemon stands still; then it is tried again. */
const attempts = 6;

export async function runMatrix(cells: readonly Cell[], options: MatrixOptions): Promise<void> {
  const api = await Api.open(options.cluster);
  const matrix = new Matrix(api, options);
  try {
    await matrix.runOwn(cells.filter(({ victim }) => !isShared(victim)));
    await matrix.runShared(cells.filter(({ victim }) => isShared(victim)));
  } finally {
    matrix.close();
    api.close();
  }
}

class Matrix {
  readonly #api: Api;
  readonly #options: MatrixOptions;
  readonly #gate: Gate;
  readonly #lanes: Ready[] = [];
  #opened = 0;

  constructor(api: Api, options: MatrixOptions) {
    this.#api = api;
    this.#options = options;
    this.#gate = new Gate(options.atWork);
  }

  /** Each cell by itself; the lasting ones first, for most of what they do is wait. */
  async runOwn(cells: readonly Cell[]): Promise<void> {
    const queue = [...cells].sort((a, b) => Number(b.blow === 'SIGSTOP') - Number(a.blow === 'SIGSTOP'));
    const lanes = Math.min(this.#options.lanes, queue.length);
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) await this.#own(cell);
      }),
    );
  }

  /** All cells of a victim and a blow at once, as many as there are lanes. */
  async runShared(cells: readonly Cell[]): Promise<void> {
    const groups = Map.groupBy(cells, ({ victim, blow }) => `${victim} ${blow}`);
    for (const group of groups.values()) {
      for (let first = 0; first < group.length; first += this.#options.lanes) {
        await this.#shared(group.slice(first, first + this.#options.lanes));
      }
    }
  }

  close(): void {
    for (const { lane } of this.#lanes) this.#abandon(lane);
  }

  async #own(cell: Cell): Promise<void> {
    let taken: Ready | undefined;
    const result = await this.#guarded(cell, async () => {
      const ready = await this.#take();
      taken = ready;
      const session = await this.#gate.through(() => this.#reached(cell, ready));
      if (isShared(cell.victim)) throw new Error(`${cell.victim} is not one session's own`);
      try {
        await strikeOwn(cell.victim, cell.blow, session, ready.lane, this.#api);
      } catch (error) {
        session.release();
        throw error;
      }
      return this.#gate.through(() => settle(ready.lane, session, ready.before, this.#api));
    });
    this.#giveBack(taken, result);
  }

  async #shared(cells: readonly Cell[]): Promise<void> {
    const [first] = cells;
    if (first === undefined || !isShared(first.victim)) return;
    const { victim, blow } = first;
    const prepared = await Promise.all(
      cells.map(async (cell) => {
        let ready: Ready | undefined;
        try {
          const taken = await this.#take();
          ready = taken;
          return { cell, ready, session: await this.#gate.through(() => this.#reached(cell, taken)) };
        } catch (error) {
          return { cell, ready, session: new Error(String(error)) };
        }
      }),
    );
    const standing = prepared.flatMap(({ session }) => (session instanceof Error ? [] : [session]));
    const blown = await strikeShared(victim, blow, standing, this.#options.cluster).catch(
      (error: unknown) => new Error(String(error)),
    );
    await Promise.all(
      prepared.map(async ({ cell, ready, session }) => {
        const result = await this.#guarded(cell, async () => {
          if (session instanceof Error) throw session;
          session.release();
          if (blown instanceof Error) throw blown;
          if (ready === undefined) throw new Error('a session without a lane');
          return settle(ready.lane, session, ready.before, this.#api);
        });
        this.#giveBack(ready, result);
      }),
    );
  }

  /** A session that stands at the cell's step. */
  async #reached(cell: Cell, { lane, before }: Ready): Promise<FaultySession> {
    for (let attempt = 1; ; attempt++) {
      const session = await sessionIn(cell.state, lane, this.#api);
      if (session.reached) return session;
      const last = actsIn(lane).at(-1)?.act ?? 'nothing';
      session.release();
      const { problems } = await settle(lane, session, before, this.#api);
      if (problems.length > 0) throw new Error(`a session that was not struck left something: ${problems.join('; ')}`);
      if (attempt === attempts) throw new Error(`the step was never caught; the journal ended with ${last}`);
    }
  }

  async #guarded(cell: Cell, work: () => Promise<Settled>): Promise<CellResult> {
    const settled = await work().catch(
      (error: unknown): Settled => ({
        remedy: 'nothing',
        seconds: 0,
        hash: '',
        problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
      }),
    );
    const { problems } = settled;
    return { ...cell, ...settled, passed: problems.length === 0, ended: new Date().toISOString() };
  }

  async #take(): Promise<Ready> {
    const free = this.#lanes.shift();
    if (free !== undefined) return free;
    const { cluster, kubectl, product } = this.#options;
    const lane = await this.#gate.through(() => openLane(++this.#opened, cluster, kubectl, product));
    try {
      return { lane, before: await this.#tracesOf(lane) };
    } catch (error) {
      this.#abandon(lane);
      throw error;
    }
  }

  /** What the lane is to look like after each of its sessions: as now, but for the folder that a peaceful one leaves. */
  async #tracesOf(lane: Lane): Promise<Traces> {
    const start = await takeTraces(this.#api, lane);
    await this.#gate.through(() => peacefulSession(lane));
    // A session's empty folder stays, for its log has its name; from here on nothing may differ.
    const folder = computerTraces(lane).get(stateFolder) ?? '';
    const before = new Map([...start, [stateFolder, folder]]);
    const { problems } = await this.#gate.through(() => settle(lane, undefined, before, this.#api));
    if (problems.length > 0) throw new Error(`a peaceful session left something: ${problems.join('; ')}`);
    return before;
  }

  /** A lane that is not as before is given up. */
  #giveBack(ready: Ready | undefined, result: CellResult): void {
    this.#options.done(result);
    if (ready === undefined) return;
    if (result.passed) this.#lanes.push(ready);
    else this.#abandon(ready.lane);
  }

  #abandon(lane: Lane): void {
    for (const { pid } of processesOf(lane.state)) signal(pid, 'SIGKILL');
    closeLane(lane);
  }
}
