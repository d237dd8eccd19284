/** How many log files there are and for how long: the files of one session, and the sessions of one folder. */
import { fstatSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** `session.log`, `session.log.1` and `session.log.2`. */
const filesPerSession = 3;
const oldestMilliseconds = 14 * 24 * 60 * 60 * 1000;
const mostSessions = 50;

/** The files of one log that there are, the newest first. */
export function logFiles(path: string): readonly string[] {
  return names(path).filter((name) => lstatSync(name, { throwIfNoEntry: false })?.isFile() === true);
}

/** Whether this open file is still the one at the path. */
export function isAt(path: string, file: number): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  const { dev, ino } = fstatSync(file);
  return there !== undefined && there.dev === dev && there.ino === ino;
}

/** Moves each file of a log one place on; the last is dropped. Nothing is at the path afterwards. */
export function rotate(path: string): void {
  const all = names(path);
  for (let index = all.length - 2; index >= 0; index--) {
    const [from, to] = [all[index], all[index + 1]];
    if (from === undefined || to === undefined || !lstatSync(from, { throwIfNoEntry: false })) continue;
    renameSync(from, to);
  }
}

/**
 * Removes logs that nobody has written to for 14 days, and of more than 50 sessions those of the oldest. `kept` is never
 * removed. A file that cannot be removed stays.
 */
export function removeOldLogs(folder: string, kept: string, now = Date.now()): void {
  const sessions = new Map<string, { newest: number; readonly files: string[] }>();
  for (const name of readdirSync(folder)) {
    const [, session] = /^(.+\.log)(?:\.\d+)?$/.exec(name) ?? [];
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (session === undefined || !stat?.isFile()) continue;
    const known = sessions.get(session) ?? { newest: 0, files: [] };
    known.newest = Math.max(known.newest, stat.mtimeMs);
    known.files.push(join(folder, name));
    sessions.set(session, known);
  }
  const others = [...sessions].filter(([session]) => join(folder, session) !== kept);
  const newestFirst = others.map(([, each]) => each).sort((a, b) => b.newest - a.newest);
  const gone = newestFirst.filter(
    ({ newest }, index) => now - newest > oldestMilliseconds || index >= mostSessions - 1,
  );
  for (const file of gone.flatMap(({ files }) => files)) {
    try {
      rmSync(file, { force: true });
    } catch {
      // Windows keeps a file that another process has open.
    }
  }
}

function names(path: string): readonly string[] {
  return Array.from({ length: filesPerSession }, (_, index) => (index === 0 ? path : `${path}.${index}`));
}
