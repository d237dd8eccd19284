import { expect, it } from 'vitest';
import { allCells, onlyThose, sampleOf, states } from './cells.ts';

const size = { quick: 10, lasting: 2, shared: 4 };
const names = (seed: number) => sampleOf(allCells(), size, seed).map((cell) => Object.values(cell).join());

it('holds every cell once', () => {
  const cells = allCells().map((cell) => Object.values(cell).join());
  expect(new Set(cells).size).toBe(cells.length);
});

it('knows every act that a session writes down, but those of guests and of what is gone', () => {
  const acts = ['session', 'lease', 'reaper', 'replacement', 'hosts', 'volumes', 'link'];
  for (const act of acts) expect(states).toContain(`connecting@${act}`);
});

it('does not strike what is not there', () => {
  const has = (victim: string, state: string) =>
    allCells().some((cell) => cell.victim === victim && cell.state === state);
  expect(has('daemon', 'connecting@session')).toBe(true);
  expect(has('helper', 'connecting@session')).toBe(false);
  expect(has('agent', 'connecting@replacement')).toBe(false);
  expect(has('agent', 'connecting@rollout')).toBe(true);
});

it('takes the same sample for the same seed, and others for others', () => {
  expect(names(7)).toEqual(names(7));
  expect(new Set([1, 2, 3, 4, 5].map((seed) => names(seed).join('\n'))).size).toBe(5);
});

it('takes a sample of the wanted size, with one shared victim and one blow', () => {
  for (const seed of [1, 2, 3, 99]) {
    const sample = sampleOf(allCells(), size, seed);
    expect(sample).toHaveLength(16);
    const shared = sample.slice(12);
    expect(new Set(shared.map(({ victim, blow }) => `${victim} ${blow}`)).size).toBe(1);
    expect(shared.every(({ blow }) => blow !== 'SIGSTOP' && blow !== 'frozen 60 s')).toBe(true);
  }
});

it('chooses by parts of names, and refuses what it does not know', () => {
  expect(onlyThose(allCells(), 'victim=daemon,blow=SIGKILL,state=running')).toEqual([
    { victim: 'daemon', blow: 'SIGKILL', state: 'running' },
  ]);
  expect(onlyThose(allCells(), 'state=connecting').every(({ state }) => state.startsWith('connecting@'))).toBe(true);
  expect(() => onlyThose(allCells(), 'when=now')).toThrow('when');
});
