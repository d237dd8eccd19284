import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogue, Problem, type ProblemCode } from './problem.ts';

describe('the catalogue of problems', () => {
  const rows = readFileSync(new URL('../docs/problems.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => /^\| [a-z-]+ \| \d+ \|/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, 4)
        .map((cell) => cell.trim()),
    );

  it('is the table in docs/problems.md', () => {
    const documented = Object.fromEntries(rows.map(([code, exitCode, id]) => [code, [Number(exitCode), Number(id)]]));
    expect(documented).toEqual(catalogue);
  });

  it('gives every problem a DAP id of its own', () => {
    const ids = Object.values(catalogue).map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('Problem', () => {
  const data = {
    code: 'target-missing',
    what: 'There is no cart.',
    why: 'Looked in shop.',
    remedy: 'Try "carts".',
  } as const;

  it('survives a process boundary', () => {
    const received: unknown = JSON.parse(JSON.stringify(new Problem(data)));
    expect(Problem.isData(received)).toBe(true);
    expect(received).toEqual(data);
  });

  it('reads as sentences, also where others said the reason', () => {
    expect(new Problem({ ...data, why: 'Unauthorized' }).message).toBe('There is no cart. Unauthorized. Try "carts".');
    expect(new Problem({ ...data, why: '', remedy: '' }).message).toBe('There is no cart.');
  });

  it('is not mistaken for other data', () => {
    for (const value of [undefined, null, 'target-missing', { ...data, code: 'no-such-code' }, { ...data, why: 1 }]) {
      expect(Problem.isData(value)).toBe(false);
    }
  });

  it('keeps what it knows of a foreign error', () => {
    const problem = Problem.from(new TypeError('x is not a function'));
    expect<ProblemCode>(problem.code).toBe('defect');
    expect(problem.why).toBe('x is not a function');
    expect(problem.exitCode).toBe(70);
  });

  it('calls an aborted wait cancelled', () => {
    expect(Problem.from(new DOMException('aborted', 'AbortError')).code).toBe('cancelled');
  });
});
