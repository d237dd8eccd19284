/** How much of everything is measured. */

export interface Plan {
  /** Round-trip times of the road to the API server, in ms. */
  readonly rtts: readonly number[];
  /** Rounds of what is small: new connections, alone and beside a transfer. Every side has its turn in each round. */
  readonly smallRounds: number;
  readonly connectionsPerRound: number;
  readonly besidePerRound: number;
  /** Rounds of what takes seconds: transfers and wrk. */
  readonly largeRounds: number;
  readonly streamBytes: number;
  readonly streams: number;
  /** Of each of `streams`. */
  readonly manyStreamBytes: number;
  readonly wrkConnections: number;
  /** At round-trip time 0; `wrkSecondsAt` says how long elsewhere. */
  readonly wrkSeconds: number;
  /** Sessions in which idle connections are opened. */
  readonly idleRuns: number;
  /** After how many open connections memory is read. */
  readonly idleSteps: readonly number[];
  /** Over how long the CPU time of processes at rest is taken. */
  readonly restSeconds: number;
}

/** `runs` counts the rounds of what is small; what takes seconds has half as many. */
export function planOf(runs: number, quick: boolean): Plan {
  const all = { rtts: [0, 20, 80], streams: 64, wrkConnections: 64, smallRounds: runs };
  if (quick) {
    return {
      ...all,
      connectionsPerRound: 10,
      besidePerRound: 5,
      largeRounds: 1,
      streamBytes: 128e6,
      manyStreamBytes: 2e6,
      wrkSeconds: 1,
      idleRuns: 1,
      idleSteps: [500, 2000],
      restSeconds: 3,
    };
  }
  return {
    ...all,
    connectionsPerRound: 15,
    besidePerRound: 10,
    largeRounds: Math.ceil(runs / 2),
    streamBytes: 160e6,
    manyStreamBytes: 2.5e6,
    wrkSeconds: 2,
    idleRuns: 3,
    idleSteps: [500, 1000, 2000],
    restSeconds: 5,
  };
}

/** wrk counts the opening of its connections too: it runs so long that three round trips are a small part of it. */
export function wrkSecondsAt(rtt: number, { wrkSeconds }: Plan): number {
  return wrkSeconds + Math.ceil(rtt / 40);
}
