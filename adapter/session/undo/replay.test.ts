import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { ownIdentity } from '../../processes/identity.ts';
import { knownSessions } from '../client/known-sessions.ts';
import { Journal } from '../journal/journal.ts';
import { hasJournals, type SessionFiles, sessionFiles } from '../state-folder.ts';
import { startReplay, undoSession } from './replay.ts';
import { lastFailure, rememberFailure } from './replay-outcome.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-replay-'));
  vi.stubEnv('KUBERNETES_LOCAL_STATE', join(folder, 'state'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** An interrupted session that had not changed anything yet: its undo needs no cluster. */
function interrupted(key: string): SessionFiles {
  const files = sessionFiles(key);
  using journal = new Journal(files.journal);
  journal.append({
    act: 'session',
    version: 1,
    id: 'a1',
    started: '2026-11-28T10:00:00.000Z',
    pid: 1,
    context: 'dev',
    namespace: 'shop',
    target: 'cart',
  });
  return files;
}

/** A program that says in a file that it was started, and with which words. */
function program(): readonly [command: readonly string[], file: string] {
  const file = join(folder, 'started');
  const script = join(folder, 'program.mjs');
  writeFileSync(
    script,
    `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(file)}, process.argv.slice(2).join(' '));`,
  );
  return [[process.execPath, script], file];
}

const tools = { program: [], log: silentLog, progress: () => {}, notice: () => {} };

it('is not begun where nothing was left, and makes no folder to find that out', async () => {
  expect(hasJournals()).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
  const [command] = program();
  expect(await startReplay({ command })).toBeUndefined();
});

it('is begun as a process of its own, and says whose session it is', async () => {
  interrupted('one');
  expect(hasJournals()).toBe(true);
  const [command, file] = program();
  const replay = await startReplay({ command });
  expect(replay?.text).toBe(
    'What an interrupted session left is being undone in the background: cart in shop of dev, begun 2026-11-28T10:00:00.000Z.',
  );
  await replay?.over;
  expect(readFileSync(file, 'utf8')).toBe('replay');
});

it('leaves alone what a living process holds', async () => {
  const files = interrupted('one');
  writeFileSync(files.lock, JSON.stringify({ ...ownIdentity(), ticket: 'x' }));
  const [command] = program();
  expect(await startReplay({ command })).toBeUndefined();
  expect(await knownSessions()).toMatchObject([{ key: 'one', left: 'being-undone' }]);
  expect(await undoSession(files, tools)).toBeUndefined();
});

it('takes the lock of a dead process whose number another one has now', async () => {
  const files = interrupted('one');
  writeFileSync(files.lock, JSON.stringify({ ...ownIdentity(), start: '1-00000000', ticket: 'x' }));
  expect(await knownSessions()).toMatchObject([{ key: 'one', left: 'interrupted' }]);
  expect(await undoSession(files, tools)).toMatchObject([{ act: 'session', target: 'cart' }]);
  expect(await knownSessions()).toEqual([]);
});

it('is not tried at every command when it has failed; whenever the clock was set back, it is', async () => {
  const files = interrupted('one');
  const problem = new Problem({ code: 'undo-incomplete', what: 'Not all.', why: 'It is away.', remedy: '' });
  const [command] = program();
  rememberFailure(files, problem);
  expect(await startReplay({ command })).toBeUndefined();
  expect(await knownSessions()).toMatchObject([{ left: 'interrupted', failed: { message: 'Not all. It is away.' } }]);
  for (const minutes of [-60, 60]) {
    rememberFailure(files, problem, new Date(Date.now() + minutes * 60_000));
    const replay = await startReplay({ command });
    expect(replay?.text).toContain('cart in shop');
    await replay?.over;
  }
  await undoSession(files, tools);
  expect(lastFailure(files)).toBeUndefined();
});

it('says that the state folder cannot be written, instead of calling it a defect', async () => {
  const files = interrupted('one');
  rmSync(files.folder, { recursive: true });
  const why = expect.stringContaining('ENOENT');
  await expect(undoSession(files, tools)).rejects.toMatchObject({ code: 'state-unwritable', why });
});

it('does not throw in a state folder that cannot be used', async () => {
  writeFileSync(join(folder, 'state'), '');
  expect(hasJournals()).toBe(false);
  expect(await startReplay({ command: [process.execPath] })).toBeUndefined();
});

it('tells of a journal that cannot be read, and does not undo it', async () => {
  const files = sessionFiles('one');
  writeFileSync(files.journal, '{"act":"session","version":2,"by":"9.1.0"}\n');
  const [command] = program();
  expect(await startReplay({ command })).toBeUndefined();
  expect(await knownSessions()).toMatchObject([
    { key: 'one', acts: [], unreadable: { code: 'state-unwritable', message: expect.stringContaining('9.1.0') } },
  ]);
  await expect(undoSession(files, tools)).rejects.toMatchObject({ code: 'state-unwritable' });
  expect(readdirSync(files.folder)).toContain('journal.jsonl');
});
