import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Act, Journal, readJournal } from './journal.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-journal-'));
  path = join(folder, 'journal.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const acts: readonly Act[] = [
  {
    act: 'session',
    version: 1,
    id: 'a1',
    started: '2026-11-23T00:00:00.000Z',
    pid: 1,
    context: 'dev',
    namespace: 'shop',
    target: 'cart',
  },
  { act: 'lease', name: 'kubernetes-local-deployment-cart' },
  { act: 'hosts', file: '/etc/hosts' },
];

function write(): void {
  using journal = new Journal(path);
  for (const act of acts) journal.append(act);
}

describe('the journal', () => {
  it('gives back what was written, in order, and is private', () => {
    write();
    expect(readJournal(path)).toEqual(acts);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('takes a torn last line for an act that never began', () => {
    write();
    appendFileSync(path, '{"act":"hosts","fi');
    expect(readJournal(path)).toEqual(acts);
  });

  it('refuses a line in the middle that it cannot read, instead of forgetting an act', () => {
    appendFileSync(path, '{"act":"from a later version"}\n');
    write();
    expect(() => readJournal(path)).toThrow(/Line 1 of the journal/);
  });

  it('is empty when there is no file', () => {
    expect(readJournal(path)).toEqual([]);
    write();
    const journal = new Journal(path);
    journal.delete();
    expect(existsSync(path)).toBe(false);
  });
});
