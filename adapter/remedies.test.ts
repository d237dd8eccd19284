import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalogue, type ProblemCode } from './problem.ts';
import { remediesFor } from './remedies.ts';

const codes = Object.keys(catalogue) as ProblemCode[];
const all = codes.flatMap((code) => remediesFor(code));

test('each page that a button opens exists', () => {
  const pages = all.flatMap(({ page }) => page ?? []);
  expect(pages).not.toEqual([]);
  for (const page of pages) expect(existsSync(join(import.meta.dirname, '..', 'docs', page)), page).toBe(true);
});

test('a button that opens a page names it, and no other does', () => {
  for (const remedy of all) expect(remedy.page !== undefined, remedy.label).toBe(remedy.command === 'docs');
});

test('a problem has few buttons, each once', () => {
  for (const code of codes) {
    const labels = remediesFor(code).map(({ label }) => label);
    expect(new Set(labels).size, code).toBe(labels.length);
    expect(labels.length, code).toBeLessThanOrEqual(3);
  }
});
