import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Problem } from '../problem.ts';
import { type EnvironmentFormat, formatEnvironment } from './formats.ts';

/** Values that some writer of such files gets wrong. */
const awkward: Readonly<Record<string, string>> = {
  PLAIN: 'plain-word_1.2:3',
  EMPTY: '',
  BLANK: ' ',
  BLANKS_AROUND: '  two words  ',
  TABS: '\ta\tb\t',
  LINES: 'one\ntwo\n\nfour',
  LINES_AROUND: '\nbetween\n',
  KEY: '-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n',
  EQUALS: 'a=b=c',
  HASH: 'a #b',
  HASH_FIRST: '#a',
  DOLLAR: '$HOME and $$ and $(id) and $1',
  SINGLE: "it's",
  DOUBLE: 'say "hi"',
  BACKTICK: '`id`',
  SINGLE_FIRST: "'quoted'",
  DOUBLE_FIRST: '"quoted"',
  BACKSLASH: 'C:\\new\\table',
  BACKSLASH_LAST: 'C:\\',
  BACKSLASHES: '\\\\server\\\\share\\\\',
  BACKSLASH_SINGLE: "it\\'s",
  JSON_VALUE: '{"a":"b\\n","c":[1,2]}',
  UNICODE: 'grün 🚲 日本語 \u00A0',
  GLOB: '* ? [a] ~ ! {x,y}',
  EXCLAMATION: 'wow!!',
  DASH: '-n',
  END: '1',
  DASH_: '1',
  OPERATORS: 'a; b & c | d > e < f (g)',
};

const variablesOf = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

function problemOf(values: Readonly<Record<string, string>>, format: EnvironmentFormat): Problem {
  try {
    formatEnvironment(variablesOf(values), format);
  } catch (error) {
    return error as Problem;
  }
  throw new Error('no problem was thrown');
}

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'formats-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('nothing', () => {
  expect(formatEnvironment([], 'dotenv')).toBe('');
  expect(formatEnvironment([], 'shell')).toBe('');
  expect(formatEnvironment([], 'json')).toBe('{}\n');
});

describe('json', () => {
  test('holds everything', () => {
    const values = { ...awkward, CARRIAGE: 'a\r\nb\r', QUOTES: `'"\``, 'any name.at-all': 'x', __proto__x: 'y' };
    const text = formatEnvironment(variablesOf(values), 'json');
    expect(JSON.parse(text)).toEqual(values);
    expect(text.endsWith('}\n')).toBe(true);
  });

  test('also a variable with the name of what every object has', () => {
    const text = formatEnvironment([{ name: '__proto__', value: 'x' }], 'json');
    expect(text).toBe('{\n  "__proto__": "x"\n}\n');
  });
});

describe('dotenv', () => {
  test('Node reads back what was written', () => {
    expect(parseEnv(formatEnvironment(variablesOf(awkward), 'dotenv'))).toEqual(awkward);
  });

  test('readable', () => {
    const { PLAIN = '', EMPTY = '', DOLLAR = '', SINGLE = '', DOUBLE = '', LINES = '' } = awkward;
    expect(formatEnvironment(variablesOf({ PLAIN, EMPTY, DOLLAR, SINGLE, DOUBLE, LINES }), 'dotenv')).toBe(
      `PLAIN=plain-word_1.2:3\nEMPTY=''\nDOLLAR='$HOME and $$ and $(id) and $1'\nSINGLE="it's"\nDOUBLE='say "hi"'\nLINES='one\ntwo\n\nfour'\n`,
    );
  });

  test('what it cannot hold, all at once and without a value', () => {
    const problem = problemOf({ GOOD: 'x', QUOTES: `'"\`secret`, CARRIAGE: 'secret\r', 'a b': 'secret' }, 'dotenv');
    expect(problem).toMatchObject({
      code: 'bad-value',
      what: 'A dotenv file cannot hold 3 variables.',
      why: 'QUOTES: it has all of the quotes \' " and `. CARRIAGE: it has a carriage return. a b: its name is not one of letters, digits, "_", "." and "-".',
    });
    expect(problem.message).not.toContain('secret');
  });
});

describe('shell', () => {
  const shells = ['sh', 'bash', 'dash', 'ksh', 'zsh', 'busybox'].filter(isInstalled);

  test('there is a shell to try', () => {
    expect(shells).toContain('sh');
  });

  test.each(shells)('%s reads back what was written', (shell) => {
    const values = { ...awkward, CARRIAGE: 'a\r\nb\r', QUOTES: `'"\`` };
    const file = join(folder, 'variables.sh');
    writeFileSync(file, formatEnvironment(variablesOf(values), 'shell'));
    const words = [...(shell === 'busybox' ? ['sh'] : []), '-ec', '. "$0" && exec env -0', file];
    const output = execFileSync(shell, words, {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, PLAIN: 'before', SHLVL: '1' },
    });
    const read = Object.fromEntries(
      output
        .split('\0')
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(read).toMatchObject(values);
  });

  test('names that a shell cannot set', () => {
    expect(problemOf({ 'my.name': 'x', UID: '0', '1A': 'x' }, 'shell')).toMatchObject({
      what: 'A shell script cannot hold 3 variables.',
      why: 'my.name: its name is not one of letters, digits and "_". UID: shells do not let it be set. 1A: its name is not one of letters, digits and "_".',
    });
  });
});

describe('powershell', () => {
  test('single quotes hold everything but themselves, whatever quotes PowerShell takes for them', () => {
    const values = {
      PLAIN: 'a "b" $c `d` \\',
      SINGLE: "it's",
      CURLY: '‘a’ ‚b‛',
      LINES: 'one\ntwo',
      'my.name{x}`': 'y',
    };
    expect(formatEnvironment(variablesOf(values), 'powershell')).toBe(
      [
        `$env:PLAIN = 'a "b" $c \`d\` \\'`,
        "$env:SINGLE = 'it''s'",
        "$env:CURLY = '‘‘a’’ ‚‚b‛‛'",
        "$env:LINES = 'one\ntwo'",
        '$'.concat("{env:my.name`{x`}``} = 'y'"),
        '',
      ].join('\n'),
    );
  });
});

describe('vscode', () => {
  test('an object for "env"', () => {
    const values = { ...awkward, CARRIAGE: 'a\r\nb' };
    expect(JSON.parse(formatEnvironment(variablesOf(values), 'vscode'))).toEqual(values);
  });

  test('what VS Code would replace', () => {
    expect(problemOf({ A: `x${'$'}{env:HOME}`, B: '$HOME' }, 'vscode')).toMatchObject({
      what: '"env" in launch.json cannot hold a variable.',
      why: expect.stringMatching(/^A: it has text in /),
    });
  });
});

function isInstalled(shell: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((path) => {
    try {
      execFileSync(join(path, shell), shell === 'busybox' ? ['true'] : ['-c', ':'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}
