import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { catalogue, Problem, type ProblemCode } from '../problem.ts';
import { errorFormatOption, formatNotice, formatProblem, formatUsageError } from './error-format.ts';

const problem = new Problem({
  code: 'target-missing',
  what: 'There is no Service "crat".',
  why: 'namespaces "shop": not found',
  remedy: 'Did you mean: "cart"?',
});

/** MSBuild's own rule, Shared/CanonicalError.cs: origin, category and code, text. */
const canonical =
  /^\s*(?<origin>[^:]*):(?<subcategory>(()|([^:]*? )))(?<category>(error|warning))( \s*(?<code>[^: ]*))?\s*:(?<text>.*)$/i;

describe('text', () => {
  test('a problem has a line for what, why and what to do', () => {
    expect(formatProblem(problem, 'text')).toBe(
      'error (target-missing): There is no Service "crat".\n  namespaces "shop": not found\n  Did you mean: "cart"?',
    );
  });

  test('parts that are not there leave no empty line', () => {
    const short = new Problem({ code: 'cancelled', what: 'Cancelled.', why: '', remedy: '' });
    expect(formatProblem(short, 'text')).toBe('error (cancelled): Cancelled.');
  });

  test('notices', () => {
    expect(formatNotice({ level: 'warning', text: 'It is slow.' }, 'text')).toBe('warning: It is slow.');
    expect(formatNotice({ level: 'info', text: 'It is fast.' }, 'text')).toBe('It is fast.');
  });
});

describe('msbuild', () => {
  test('a problem is one line with its number', () => {
    expect(formatProblem(problem, 'msbuild')).toBe(
      'kubernetes-local : error KL4001: There is no Service "crat". namespaces "shop": not found. Did you mean: "cart"?',
    );
  });

  test.each(Object.keys(catalogue) as ProblemCode[])('%s is what MSBuild takes for an error', (code) => {
    const each = new Problem({ code, what: 'a: b (c).', why: 'error CS1: d', remedy: '' });
    expect(canonical.exec(formatProblem(each, 'msbuild'))?.groups).toMatchObject({
      origin: 'kubernetes-local ',
      category: 'error',
      code: `KL${catalogue[code][1]}`,
      text: ' a: b (c). error CS1: d',
    });
  });

  test('nothing that others say begins a line of its own', () => {
    const hostile = new Problem({
      code: 'patch-refused',
      what: 'The change was refused.',
      why: 'hook said:\r\n\terror CS1: no\u2028\u0085\u001b[31mred\n',
      remedy: '',
    });
    expect(formatProblem(hostile, 'msbuild')).toBe(
      'kubernetes-local : error KL4010: The change was refused. hook said: error CS1: no [31mred',
    );
  });

  test('a warning is one too, other notices are plain lines', () => {
    const line = formatNotice({ level: 'warning', text: 'Port 80 is taken.\n8080 is used.' }, 'msbuild');
    expect(line).toBe('kubernetes-local : warning KL1000: Port 80 is taken. 8080 is used.');
    expect(canonical.exec(line)?.groups).toMatchObject({ category: 'warning', code: 'KL1000' });
    const plain = formatNotice({ level: 'info', text: 'One\ntwo' }, 'msbuild');
    expect(plain).toBe('One two');
    expect(canonical.test(plain)).toBe(false);
  });

  test('no problem has the number of the warnings', () => {
    expect(Object.values(catalogue).map(([, id]) => id)).not.toContain(1000);
  });
});

describe('what commander says', () => {
  const said = "error: option '--network <way>' argument 'hots' is invalid.\n";

  test('is a problem like any other', () => {
    expect(formatUsageError(said, ['connect', '--network', 'hots'])).toBe(
      "error (bad-arguments): option '--network <way>' argument 'hots' is invalid.\n",
    );
    expect(formatUsageError(said, ['connect', '--error-format', 'text'])).toContain('error (bad-arguments): ');
    expect(formatUsageError(said, ['msbuild'])).toContain('error (bad-arguments): ');
  });

  test('is an error of the build if that was asked for', () => {
    for (const option of [['--error-format', 'msbuild'], ['--error-format=msbuild']]) {
      expect(formatUsageError(said, ['connect', ...option, '--network', 'hots'])).toBe(
        "kubernetes-local : error KL2005: option '--network <way>' argument 'hots' is invalid.\n",
      );
    }
  });
});

describe('--error-format', () => {
  const command = () =>
    new Command()
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .addOption(errorFormatOption());
  const parse = (...args: string[]) => command().parse(args, { from: 'user' }).opts();

  test('is text unless told otherwise', () => {
    expect(parse()).toEqual({ errorFormat: 'text' });
    expect(parse('--error-format', 'msbuild')).toEqual({ errorFormat: 'msbuild' });
  });

  test('knows no other', () => {
    expect(() => parse('--error-format', 'json')).toThrow('text, msbuild');
  });
});
