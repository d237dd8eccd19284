/** What a run of the matrix says: the page docs/reliability.md, and the counts at the end of every run. */
import { type Blow, type Cell, cuts, signals, states, type Victim } from './cells.ts';
import type { CellResult } from './matrix.ts';
import type { LoadRun } from './measures.ts';

export interface RunDescription {
  readonly command: string;
  /** How many of the cells an earlier run has seen pass (--results), and this one has not repeated. */
  readonly earlier: number;
  readonly date: string;
  /** Node's and Kubernetes' versions, and ours. */
  readonly versions: readonly string[];
  readonly results: readonly CellResult[];
  /** How many cells the whole matrix has. */
  readonly whole: number;
  readonly load: readonly LoadRun[];
  /** Named lines of the cycles run, or why there are none. */
  readonly cycles: readonly string[];
  /** What failed beside the cells. */
  readonly failures: readonly string[];
}

/** The counts in one line for a terminal. */
export function counts(results: readonly CellResult[]): string {
  const failed = results.filter(({ passed }) => !passed).length;
  const { p50, max } = settling(results);
  return `${results.length} cells, ${failed} failed; settled within ${p50} (median), ${max} (longest)`;
}

/** One failed cell with what was wrong, and the command that repeats it. */
export function describeFailure({ victim, blow, state, problems }: CellResult): string {
  return [
    `FAILED ${victim}, ${blow}, ${state}`,
    ...problems.map((problem) => `    ${problem}`),
    `    again: npm run faults -- --only 'victim=${victim},blow=${blow},state=${state}'`,
  ].join('\n');
}

/** The page. */
export function page(run: RunDescription): string {
  const { results } = run;
  const failed = results.filter(({ passed }) => !passed);
  const ended = results.map((result) => result.ended.slice(0, 16).replace('T', ' ')).sort();
  const remedies = count(results, ({ remedy }) => remedy);
  const { p50, max } = settling(results);
  const victims = [...new Set(results.map(({ victim }) => victim))];
  return `${[
    '# Reliability: what was broken, and what was left',
    [
      'Made by a run of the fault matrix; do not edit. Each cell is one session on a real cluster that is struck in one',
      'state: its victim is killed, stopped for a minute, or asked to end; the network is cut or reset; the API server,',
      'etcd or the kubelet is taken away and comes back. Afterwards everything must be as it was before: every object of',
      'the namespace but events and endpoints (with pod templates, annotations, ReplicaSets, Roles, Leases), the pods, the',
      'bytes, mode and owner of the hosts file and the names in its folder, processes, sockets, temporary files, links, and',
      'the state folder. All of that is one hash, taken before the first fault and compared after each.',
    ].join('\n'),
    [
      `- Command: \`${run.command}\`, ${run.date}`,
      `- The cells ran from ${ended.at(0)} to ${ended.at(-1)}${inRuns(run)}`,
      `- Versions: ${run.versions.join(', ')}`,
      `- Cells run: **${results.length}** of ${run.whole} in the matrix${missing(run)}`,
      `- Failures: **${failed.length + run.failures.length}**`,
      `- Seconds until all was as before, after the end of the blow: median ${p50}, longest ${max}`,
      `- It took nothing in ${remedies.get('nothing') ?? 0} cells, the next start of some command in ${remedies.get('next command') ?? 0}, \`restore\` in ${remedies.get('restore') ?? 0}`,
    ].join('\n'),
    [
      'States: `connecting@ACT` is right after that act was written to the journal and before it was done,',
      "`connecting@rollout` is when the agent's container runs, `ending@asked` is when the user has asked for the end,",
      '`ending@THING` is right after the undo has put that thing back. A session is held at its step by stopping its daemon;',
      'a cell whose step was not caught counts as failed. All states of the API server, etcd, the kubelet and the network',
      'are struck at once, each in a session of its own; each session has a copy of `/etc` in a mount namespace of its own.',
      'Numbers are cells that passed of cells that ran; – is a victim that does not exist then, or a cell that did not run.',
    ].join('\n'),
    ...victims.map((victim) => victimTable(victim, results)),
    ...failureList([...failed.map(oneLine), ...run.failures]),
    `## Load\n\n${loadText(run.load)}`,
    `## Connect and disconnect, again and again\n\n${run.cycles.map((line) => `- ${line}`).join('\n')}`,
    [
      '## Again',
      '',
      '`npm run faults` runs the matrix and writes this page; `npm run faults -- --all` adds ten minutes of load and 1,000',
      'cycles; `npm run faults -- --quick --seed N` runs a sample within five minutes and writes nothing (`npm test` has it',
      "too); `npm run faults -- --only 'victim=daemon,blow=SIGKILL,state=running'` repeats one cell; `--results FILE` keeps",
      'what passed, so that the next run with it goes on from there. Root and Linux are needed.',
    ].join('\n'),
  ].join('\n\n')}\n`;
}

function inRuns({ earlier }: RunDescription): string {
  return earlier === 0
    ? ' in one run'
    : `; ${earlier} of them in earlier runs, which this one went on from (--results)`;
}

function missing({ results, whole }: RunDescription): string {
  return results.length === whole ? '' : '; this run did not take in the others';
}

function victimTable(victim: Victim, results: readonly CellResult[]): string {
  const own = results.filter((result) => result.victim === victim);
  const blows = [...signals, ...cuts].filter((blow) => own.some((result) => result.blow === blow));
  const rows = states
    .filter((state) => own.some((result) => result.state === state))
    .map((state) => `| ${state} | ${blows.map((blow) => fraction(own, { victim, blow, state })).join(' | ')} |`);
  return [
    `## ${victim[0]?.toUpperCase()}${victim.slice(1)}`,
    [
      `| state | ${blows.map(blowInWords).join(' | ')} |`,
      `| --- | ${blows.map(() => '---').join(' | ')} |`,
      ...rows,
      `| all | ${blows.map((blow) => total(own, blow)).join(' | ')} |`,
    ].join('\n'),
  ].join('\n\n');
}

function blowInWords(blow: Blow): string {
  return blow === 'SIGSTOP' ? 'SIGSTOP 60 s' : blow;
}

function fraction(results: readonly CellResult[], { blow, state }: Cell): string {
  const those = results.filter((result) => result.blow === blow && result.state === state);
  return those.length === 0 ? '–' : `${those.filter(({ passed }) => passed).length}/${those.length}`;
}

function total(results: readonly CellResult[], blow: Blow): string {
  const those = results.filter((result) => result.blow === blow);
  return `${those.filter(({ passed }) => passed).length}/${those.length}`;
}

function oneLine({ victim, blow, state, problems }: CellResult): string {
  return `${victim}, ${blow}, ${state}: ${problems.join('; ').replaceAll(/\s+/g, ' ').slice(0, 300)}`;
}

function failureList(failures: readonly string[]): readonly string[] {
  return failures.length === 0 ? [] : [`## Failures\n\n${failures.map((one) => `- ${one}`).join('\n')}`];
}

function loadText(load: readonly LoadRun[]): string {
  if (load.length === 0) return 'Not part of this run.';
  return [
    'Requests from a pod through the Service of an intercepted workload, while the road to the cluster is cut for',
    `${load[0]?.options.cutSeconds} s every ${load[0]?.options.cutEverySeconds} s. "Outside" are requests that no cut touched.`,
    '',
    '| requests/s | seconds | the cut road | requests | lost | lost outside | median | 99th percentile |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...load.map(({ options, result }) => {
      const { requests, lost, lostOutsideCuts, p50, p99 } = result;
      const times = `${p50.toFixed(1)} ms | ${p99.toFixed(1)} ms`;
      return `| ${options.rate} | ${options.seconds} | ${options.reset ? 'resets' : 'is frozen'} | ${requests} | ${lost} | ${lostOutsideCuts} | ${times} |`;
    }),
  ].join('\n');
}

function settling(results: readonly CellResult[]): { readonly p50: string; readonly max: string } {
  const seconds = results
    .filter(({ passed }) => passed)
    .map((result) => result.seconds)
    .sort((a, b) => a - b);
  const text = (value: number | undefined) => (value === undefined ? 'none' : `${value.toFixed(1)} s`);
  return { p50: text(seconds[Math.floor(seconds.length / 2)]), max: text(seconds.at(-1)) };
}

function count<T>(items: readonly T[], by: (item: T) => string): ReadonlyMap<string, number> {
  return new Map([...Map.groupBy(items, by)].map(([key, all]) => [key, all.length]));
}
