/**
 * `npm test`: format and lint, types, dead code, unit tests, tests with the real debuggers, end-to-end tests
 * on the real cluster, in this order.
 * The last line is the plain count `N passed, N failed`; the exit code is 0 only if nothing failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-test-'));
const count = { passed: 0, failed: 0 };

/** A check that passes or fails as a whole. */
function check(name: string, command: string, ...args: readonly string[]): void {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) count.passed++;
  else count.failed++;
}

/** A vitest project, counted test by test. A run that reports nothing, or no test at all, is a failure. */
function tests(project: string): void {
  console.log(`\n== ${project} tests`);
  const report = join(folder, `${project}.json`);
  const { status } = spawnSync(
    'vitest',
    ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    { cwd: root, stdio: 'inherit' },
  );
  try {
    const result: unknown = JSON.parse(readFileSync(report, 'utf8'));
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites } = result as Record<
      string,
      number
    >;
    count.passed += numPassedTests ?? 0;
    // A test that was skipped has not passed.
    const bad = (numFailedTests ?? 0) + (numPendingTests ?? 0) + (numTodoTests ?? 0);
    count.failed += bad;
    if (bad === 0 && (status !== 0 || !numPassedTests || numFailedTestSuites)) count.failed++;
  } catch (error) {
    console.error(`vitest left no report: ${error}`);
    count.failed++;
  }
}

try {
  check('format and lint', 'biome', 'ci', '.');
  check('types', 'tsc', '-p', '.');
  check('dead code', 'knip');
  tests('unit');
  tests('debuggers');
  tests('e2e');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed === 0 ? 0 : 1;
