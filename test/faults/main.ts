/**
 * `npm run faults`: the fault matrix on the real cluster, and docs/reliability.md made of what it saw.
 *
 *   --quick [--seed N]   a sample of the matrix within five minutes; writes no page
 *   --only WISHES        some cells, such as victim=daemon,blow=SIGKILL,state=running; writes no page
 *   --all                the matrix, ten minutes of load and 1,000 cycles
 *   --no-load, --no-cycles
 *   --results FILE       keeps each cell's result there, and does not repeat those that have passed
 *   --page FILE          writes the page there
 *   --lanes N            sessions at once
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { localCartPackages } from '../apps/shop/shop.ts';
import { ensureCluster } from '../cluster/cluster.ts';
import { ensurePackages } from '../cluster/packages.ts';
import { product } from '../stage/product.ts';
import { kubectlOf, loadImages } from '../stage/shop.ts';
import { sharedCluster } from '../stage/world.ts';
import { allCells, type Cell, onlyThose, sampleOf } from './cells.ts';
import { type CellResult, runMatrix } from './matrix.ts';
import { measureCycles, measureLoad } from './measures.ts';
import { counts, describeFailure, page } from './report.ts';

const root = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
    'no-load': { type: 'boolean', default: false },
    'no-cycles': { type: 'boolean', default: false },
    results: { type: 'string' },
    page: { type: 'string' },
    lanes: { type: 'string', default: '6' },
  },
});

const quickSize = { quick: 10, lasting: 2, shared: 4 };
const began = new Date();
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);
const whole = allCells();
const chosen = choose();
const results: CellResult[] = values.results === undefined ? [] : readResults(values.results);
const isDone = (cell: Cell) =>
  results.some((one) => one.victim === cell.victim && one.blow === cell.blow && one.state === cell.state);
const cells = chosen.filter((cell) => !isDone(cell));

let said = '';
/** What is said again and again is said once. */
const say = (text: string) => {
  if (text !== said) console.error(text);
  said = text;
};
say(`${cells.length} of ${whole.length} cells${values.quick ? `, seed ${seed}` : ''}`);
await ensurePackages([...localCartPackages, 'strace'], say);
const cluster = await ensureCluster({ name: sharedCluster, onProgress: say });
await loadImages(cluster, say);
const copy = copyOfProduct();
try {
  await runMatrix(cells, {
    cluster,
    kubectl: kubectlOf(cluster),
    product: copy.command,
    lanes: Number(values.lanes),
    atWork: 4,
    say,
    done: (result) => {
      results.push(result);
      const { passed, victim, blow, state, seconds, remedy } = result;
      const time = new Date().toISOString().slice(11, 19);
      say(`${time} ${passed ? 'passed' : 'FAILED'} ${victim}, ${blow}, ${state}: ${seconds.toFixed(1)} s, ${remedy}`);
      if (!passed) say(describeFailure(result));
      if (values.results !== undefined) writeFileSync(values.results, JSON.stringify(results, undefined, 1));
    },
  });
} finally {
  rmSync(copy.folder, { recursive: true, force: true });
}
const isWhole = !values.quick && values.only === undefined;
const load = isWhole && !values['no-load'] ? await measureLoad(values.all, say) : [];
const cycles =
  isWhole && !values['no-cycles']
    ? await measureCycles(values.all, say)
    : { lines: ['Not part of this run.'], failures: [] };
const others = [
  ...load
    .filter(({ result }) => result.lostOutsideCuts > 0)
    .map(({ result }) => `FAILED load: ${result.lostOutsideCuts} requests were lost outside the cuts`),
  ...cycles.failures.map((failure) => `FAILED cycles: ${failure}`),
];

for (const result of results.filter(({ passed }) => !passed)) console.log(describeFailure(result));
for (const failure of others) console.log(failure);
const target =
  values.page ?? (values.quick || values.only !== undefined ? undefined : join(root, 'docs', 'reliability.md'));
if (target !== undefined) writeFileSync(target, page(await described()));
if (values.quick) console.log(`seed ${seed}`);
console.log(counts(results));
process.exit(results.every(({ passed }) => passed) && others.length === 0 ? 0 : 1);

function choose(): readonly Cell[] {
  if (values.only !== undefined) return onlyThose(whole, values.only);
  return values.quick ? sampleOf(whole, quickSize, seed) : whole;
}

/** The product as it is built now, so that a build beside this run changes nothing. */
function copyOfProduct(): { readonly folder: string; readonly command: readonly string[] } {
  const [node = '', program = ''] = product();
  const folder = mkdtempSync(join(tmpdir(), 'kl-product-'));
  cpSync(dirname(program), folder, { recursive: true });
  return { folder, command: [node, join(folder, basename(program))] };
}

/** What an earlier run has seen pass. */
function readResults(path: string): CellResult[] {
  if (!existsSync(path)) return [];
  const earlier: CellResult[] = JSON.parse(readFileSync(path, 'utf8'));
  const isMeant = ({ victim, blow, state }: Cell) =>
    onlyThose(whole, `victim=${victim},blow=${blow},state=${state}`).length > 0;
  return earlier.filter((one) => one.passed && isMeant(one));
}

async function described() {
  const status = await cluster.status();
  const kubernetes = status.state === 'stopped' ? 'unknown' : status.detail.version;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const said = [
    values.quick && `--quick --seed ${seed}`,
    values.only !== undefined && `--only '${values.only}'`,
    values.all && '--all',
    values['no-load'] && '--no-load',
    values['no-cycles'] && '--no-cycles',
  ].filter((option) => option !== false);
  return {
    command: `npm run faults${said.length === 0 ? '' : ` -- ${said.join(' ')}`}`,
    earlier: chosen.length - cells.length,
    date: began.toISOString().slice(0, 16).replace('T', ' '),
    versions: [`kubernetes-local ${version}`, `Kubernetes ${kubernetes}`, `Node ${process.version}`],
    results,
    whole: whole.length,
    load,
    cycles: cycles.lines,
    failures: others,
  };
}
