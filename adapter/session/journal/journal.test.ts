import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
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
    expect(readJournal(path)).toMatchObject(acts);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('takes a torn last line for an act that never began', () => {
    write();
    appendFileSync(path, '{"act":"hosts","fi');
    expect(readJournal(path)).toMatchObject(acts);
    expect(readJournal(path)).toHaveLength(acts.length);
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

  it('goes on after a torn last line with one that can be read', () => {
    write();
    appendFileSync(path, '{"act":"hosts","fi');
    using journal = new Journal(path);
    journal.append({ act: 'hosts', file: '/etc/other' });
    expect(readJournal(path).at(-1)).toEqual({ act: 'hosts', file: '/etc/other' });
    expect(readJournal(path)).toHaveLength(acts.length + 1);
  });

  it('can be read, and added to, after the disk was full in the middle of a line', () => {
    let room = Number.POSITIVE_INFINITY;
    using journal = new Journal(path, (file, bytes) => {
      if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      const taken = bytes.subarray(0, Math.min(room, bytes.length));
      room -= taken.length;
      return writeSync(file, taken);
    });
    for (const act of acts) journal.append(act);
    const whole = readFileSync(path);
    room = 20;
    const fails = () => journal.append({ act: 'volumes', folder: '/dev/shm/one' });
    expect(fails).toThrow(
      expect.objectContaining({ code: 'state-unwritable', why: expect.stringContaining('ENOSPC') }),
    );
    expect(readFileSync(path).equals(whole)).toBe(true);
    expect(journal.acts).toHaveLength(acts.length);
    room = 1_000;
    journal.append({ act: 'volumes', folder: '/dev/shm/two' });
    expect(readJournal(path)).toEqual(journal.acts);
    expect(readJournal(path).at(-1)).toEqual({ act: 'volumes', folder: '/dev/shm/two' });
  });

  it('of a later version is an error that names it, and stays', () => {
    const later = '{"act":"session","version":2,"by":"9.1.0","id":"a1"}\n{"act":"teleport"}\n';
    writeFileSync(path, later);
    expect(() => readJournal(path)).toThrow(/written by kubernetes-local 9\.1\.0 \(version 2 of the journal\)/);
    expect(readFileSync(path, 'utf8')).toBe(later);
  });

  it('is known to its session when the file is gone', () => {
    using journal = new Journal(path);
    for (const act of acts) journal.append(act);
    rmSync(path);
    expect(journal.acts).toMatchObject(acts);
  });

  it.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
    'on a real disk that is full keeps what was there',
    () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', folder]);
      try {
        write();
        const whole = readFileSync(path);
        using journal = new Journal(path);
        const large = { act: 'hosts', file: 'x'.repeat(20_000) } as const;
        expect(() => journal.append(large)).toThrow(/ENOSPC/);
        expect(readFileSync(path).equals(whole)).toBe(true);
        journal.append({ act: 'hosts', file: '/etc/other' });
        expect(readJournal(path)).toHaveLength(acts.length + 1);
      } finally {
        execFileSync('umount', [folder]);
      }
    },
  );
});
