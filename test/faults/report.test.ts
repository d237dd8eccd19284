import { expect, it } from 'vitest';
import type { CellResult } from './matrix.ts';
import { counts, describeFailure, page, type RunDescription } from './report.ts';

const passed: CellResult = {
  victim: 'daemon',
  blow: 'SIGKILL',
  state: 'running',
  passed: true,
  remedy: 'next command',
  seconds: 3,
  hash: 'abc',
  problems: [],
  ended: '2026-11-28T00:00:00Z',
};
const failed: CellResult = {
  ...passed,
  state: 'stopped',
  passed: false,
  seconds: 99,
  problems: ['Lease/kubernetes-local-deployment-cart was left behind'],
};

function run(results: readonly CellResult[]): RunDescription {
  return {
    command: 'npm run faults',
    date: '2026-11-28 00:00',
    versions: ['Node v24'],
    earlier: 0,
    results,
    whole: 306,
    load: [],
    cycles: ['Not part of this run.'],
    failures: [],
  };
}

it('counts the cells that ran, and says how many did not', () => {
  const text = page(run([passed]));
  expect(text).toContain('**1** of 306');
  expect(text).toContain('did not take in the others');
  expect(text).toContain('Failures: **0**');
  expect(text).toContain('| running | 1/1 |');
  expect(text).toContain('the next start of some command in 1');
  expect(text).not.toContain('## Failures');
});

it('hides no failure, and does not count it among the times', () => {
  const text = page(run([passed, failed]));
  expect(text).toContain('Failures: **1**');
  expect(text).toContain('| stopped | 0/1 |');
  expect(text).toContain('- daemon, SIGKILL, stopped: Lease/kubernetes-local-deployment-cart was left behind');
  expect(counts([passed, failed])).toBe('2 cells, 1 failed; settled within 3.0 s (median), 3.0 s (longest)');
});

it('counts what failed beside the cells', () => {
  const text = page({ ...run([passed]), failures: ['FAILED load: 3 requests were lost outside the cuts'] });
  expect(text).toContain('Failures: **1**');
  expect(text).toContain('- FAILED load: 3 requests');
});

it('tells how to repeat a cell', () => {
  expect(describeFailure(failed)).toContain("--only 'victim=daemon,blow=SIGKILL,state=stopped'");
});
