/** The fault matrix as a list: which victim gets which blow in which state, which of them are chosen, and a seeded sample. */

/**
 * Where in its life a session is struck: `connecting@ACT` is right after that act was written to the journal, and
 * `ending@THING` right after the undo has put that thing back; `rollout` is when the agent's container runs, and `asked` when
 * the user has asked for the end.
 */
export const states = [
  'connecting@session',
  'connecting@lease',
  'connecting@reaper',
  'connecting@replacement',
  'connecting@rollout',
  'connecting@hosts',
  'connecting@volumes',
  'connecting@link',
  'running',
  'stopped',
  'ending@asked',
  'ending@link',
  'ending@hosts',
  'ending@workload',
  'ending@reaper',
  'ending@lease',
] as const;
export type State = (typeof states)[number];

/** What belongs to one session, and what all sessions of a cluster share. */
const ownVictims = ['adapter', 'daemon', 'helper', 'agent'] as const;
const sharedVictims = ['API server', 'kubelet', 'etcd', 'network'] as const;
export type OwnVictim = (typeof ownVictims)[number];
export type SharedVictim = (typeof sharedVictims)[number];
export type Victim = OwnVictim | SharedVictim;

export const signals = ['SIGKILL', 'SIGSTOP', 'SIGTERM'] as const;
/** The road to the API server: nothing passes, or every connection is reset. */
export const cuts = ['frozen 60 s', 'frozen 2 s', 'reset once'] as const;
export type Blow = (typeof signals)[number] | (typeof cuts)[number];

export interface Cell {
  readonly victim: Victim;
  readonly blow: Blow;
  readonly state: State;
}

/** The helper is started before the Lease is taken, and is ended by the undo once the hosts file is as it was. */
const withoutHelper: readonly State[] = [
  'connecting@session',
  'ending@hosts',
  'ending@workload',
  'ending@reaper',
  'ending@lease',
];
/** The agent runs from the rollout on, until the workload is put back. */
const withAgent: readonly State[] = [
  'connecting@rollout',
  'connecting@volumes',
  'connecting@link',
  'running',
  'stopped',
  'ending@asked',
  'ending@link',
  'ending@hosts',
];

/** The whole matrix. */
export function allCells(): readonly Cell[] {
  const own = ownVictims.flatMap((victim) =>
    signals.flatMap((blow) =>
      states.filter((state) => isThere(victim, state)).map((state) => ({ victim, blow, state })),
    ),
  );
  const shared = sharedVictims.flatMap((victim) =>
    (victim === 'network' ? cuts : signals).flatMap((blow) => states.map((state) => ({ victim, blow, state }))),
  );
  return [...own, ...shared];
}

function isThere(victim: OwnVictim, state: State): boolean {
  // The debug adapter ends as soon as the daemon has begun with the undo.
  if (victim === 'adapter') return !state.startsWith('ending@') || state === 'ending@asked';
  if (victim === 'helper') return !withoutHelper.includes(state);
  if (victim === 'agent') return withAgent.includes(state);
  return true;
}

export function isShared(victim: Victim): victim is SharedVictim {
  return sharedVictims.some((one) => one === victim);
}

/** `victim=daemon,blow=SIGKILL,state=running`: the cells that are meant; a part of a name is enough. */
export function onlyThose(cells: readonly Cell[], text: string): readonly Cell[] {
  const wishes = text.split(',').map((wish) => wish.split('='));
  for (const [key] of wishes) {
    if (key !== 'victim' && key !== 'blow' && key !== 'state') throw new Error(`--only knows no "${key}"`);
  }
  return cells.filter((cell) =>
    wishes.every(
      ([key, value = '']) => (key === 'victim' || key === 'blow' || key === 'state') && cell[key].includes(value),
    ),
  );
}

export interface SampleSize {
  /** Cells with a victim of one session and a blow that does not last. */
  readonly quick: number;
  /** Cells of SIGSTOP, which lasts a minute, at a victim of one session. */
  readonly lasting: number;
  /** Cells of one shared victim; the blow is one that does not last. */
  readonly shared: number;
}

/** A sample that is the same for the same seed. */
export function sampleOf(cells: readonly Cell[], size: SampleSize, seed: number): readonly Cell[] {
  const random = randomFrom(seed);
  const own = shuffled(
    cells.filter(({ victim }) => !isShared(victim)),
    random,
  );
  const shared = shuffled(
    cells.filter(({ victim, blow }) => isShared(victim) && blow !== 'SIGSTOP' && blow !== 'frozen 60 s'),
    random,
  );
  const [one] = shared;
  return [
    ...own.filter(({ blow }) => blow !== 'SIGSTOP').slice(0, size.quick),
    ...own.filter(({ blow }) => blow === 'SIGSTOP').slice(0, size.lasting),
    ...shared.filter(({ victim, blow }) => victim === one?.victim && blow === one.blow).slice(0, size.shared),
  ];
}

/** mulberry32: small, and good enough to choose. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
