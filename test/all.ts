/**
 * `npm test`: format and lint, types, dead code, unit tests, tests with the real debuggers, end-to-end tests
 * on the real cluster, in this order.
 * The end names what failed, with the first lines of why; the last line is the plain count `N passed, N failed`;
 * the exit code is 0 only if nothing failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-test-'));
const count = { passed: 0, failed: 0 };
/** What failed, for the end: whoever reads only the last lines of a long log must still see it. */
const failures: string[] = [];

/** The part of vitest's JSON report that is read here. */
const reportShape = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  numFailedTestSuites: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
});

/** A check that passes or fails as a whole. */
function check(name: string, command: string, ...args: readonly string[]): void {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) count.passed++;
  else {
    count.failed++;
    failures.push(name);
  }
}

/** The start of a failure message: enough to know which of several reasons it was. */
const firstLines = (text: string) => text.split('\n').slice(0, 8).join('\n      ');

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
    const result = reportShape.parse(JSON.parse(readFileSync(report, 'utf8')));
    count.passed += result.numPassedTests;
    // A test that was skipped has not passed.
    const bad = result.numFailedTests + result.numPendingTests + result.numTodoTests;
    count.failed += bad;
    for (const file of result.testResults) {
      const place = `${project}: ${relative(root, file.name)}`;
      for (const { fullName, status, failureMessages } of file.assertionResults)
        if (status !== 'passed')
          failures.push(`${place}: ${fullName} (${status})\n      ${firstLines(failureMessages?.join('\n') ?? '')}`);
      if (file.status === 'failed' && file.message) failures.push(`${place}: ${firstLines(file.message)}`);
    }
    if (bad === 0 && (status !== 0 || result.numPassedTests === 0 || result.numFailedTestSuites > 0)) {
      count.failed++;
      failures.push(`${project}: vitest ended with ${status}`);
    }
  } catch (error) {
    count.failed++;
    failures.push(`${project}: vitest left no report: ${error}`);
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
for (const failure of failures) console.log(`\nFAILED ${failure}`);
console.log(`\n${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed === 0 ? 0 : 1;
