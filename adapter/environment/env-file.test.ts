import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readEnvFiles } from './env-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'env-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('several files, relative to the folder, with their origins; a byte order mark is no part of a name', () => {
  writeFileSync(join(folder, '.env'), '\uFEFFA=1\n# comment\nexport B="two\\nlines"\nC=\'$x\'\n');
  writeFileSync(join(folder, 'more.env'), "A=2\nD='one\ntwo'\n");
  expect(readEnvFiles(['.env', join(folder, 'more.env')], folder)).toEqual([
    { name: 'A', value: '1', origin: 'envFile .env', secret: true },
    { name: 'B', value: 'two\nlines', origin: 'envFile .env', secret: true },
    { name: 'C', value: '$x', origin: 'envFile .env', secret: true },
    { name: 'A', value: '2', origin: 'envFile more.env', secret: true },
    { name: 'D', value: 'one\ntwo', origin: 'envFile more.env', secret: true },
  ]);
});

test('a file that is not there', () => {
  expect(() => readEnvFiles(['gone.env'], folder)).toThrow(
    expect.objectContaining({ code: 'bad-value', what: `The "envFile" ${join(folder, 'gone.env')} cannot be read.` }),
  );
});
