/**
 * The undo of what interrupted sessions left on this computer, by whatever command starts next. It runs beside the command,
 * as a process of its own, of which there is one at a time, and asks nobody anything. What needs consent it leaves to `restore`.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../diagnostics/log.ts';
import type { AskConsent } from '../../network/helper/consent.ts';
import { startHelper } from '../../network/helper/helper-client.ts';
import { isFreeOf } from '../../network/hosts/hosts-writer.ts';
import { Problem } from '../../problem.ts';
import { describeSession } from '../journal/described-acts.ts';
import { type Act, readJournal } from '../journal/journal.ts';
import { isLocked, tryLockSession } from '../session-lock.ts';
import {
  logsFolder,
  replayLockPath,
  type SessionFiles,
  sessionFiles,
  sessionsFolder,
  stateProblem,
} from '../state-folder.ts';
import { forgetFailure, lastFailure, rememberFailure } from './replay-outcome.ts';
import { openSessionCluster } from './session-cluster.ts';
import { undo } from './undo.ts';

/** A cluster that is gone for good, or a right that is missing, is not tried again at every command. */
const againMilliseconds = 5 * 60_000;

/** How a session is undone without its daemon. */
export interface UndoTools {
  /** The command that starts this program: the privileged helper is one of its processes. */
  readonly program: readonly string[];
  readonly log: Log;
  /** Asks for privileges; without it nobody is asked. */
  readonly consent?: AskConsent;
  progress(text: string): void;
  notice(text: string): void;
}

/** Undoes the acts of a session whose daemon does not live. May be repeated. Problem undo-incomplete. */
export async function undoAbandoned(acts: readonly Act[], tools: UndoTools): Promise<void> {
  const { program, log, consent, progress, notice } = tools;
  const { signal } = new AbortController();
  return undo({
    acts: await withoutDone(acts),
    openCluster: (act) => openSessionCluster(act, log, signal),
    openHelper: () => startHelper({ log, command: program, ...(consent !== undefined && { consent }), signal }),
    progress,
    notice,
    signal,
  });
}

/** The helper of a daemon that dies takes its names out of the hosts file; then nobody needs to be asked for privileges. */
async function withoutDone(acts: readonly Act[]): Promise<readonly Act[]> {
  const session = acts.find((act) => act.act === 'session');
  const left = await Promise.all(
    acts.map(async (act) => act.act !== 'hosts' || session === undefined || !(await isFreeOf(act.file, session.id))),
  );
  return acts.filter((_, index) => left[index]);
}

/** Where the outcome of a replay is written. */
export function replayLogPath(): string {
  return join(logsFolder(), 'replay.log');
}

/** A replay that was begun. */
interface Replay {
  /** For the user, one sentence. */
  readonly text: string;
  /** Resolves when its process has ended; keeps no process alive. */
  readonly over: Promise<void>;
}

interface ReplayProgram {
  /** Starts this program. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts the undo of what interrupted sessions have left, if there is something, without waiting for it. Never throws: no
 * command fails because of an earlier one's end.
 */
export async function startReplay({ command: [file, ...args], env }: ReplayProgram): Promise<Replay | undefined> {
  try {
    const abandoned = await abandonedSessions();
    if (file === undefined || abandoned.length === 0 || (await isLocked(replayLockPath()))) return undefined;
    const child = spawn(file, [...args, 'replay'], {
      detached: true,
      cwd: sessionsFolder(),
      stdio: 'ignore',
      windowsHide: true,
      env: { ...process.env, ...env },
    });
    child.unref();
    const over = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
    const whose = abandoned.map(({ acts }) => describeSession(acts)).join('; ');
    return { text: `What an interrupted session left is being undone in the background: ${whose}.`, over };
  } catch {
    return undefined;
  }
}

interface Abandoned {
  readonly files: SessionFiles;
  readonly acts: readonly Act[];
}

/** Sessions with a journal that nobody holds, but for those that were tried a moment ago, or whose journal is unreadable. */
async function abandonedSessions(now = Date.now()): Promise<readonly Abandoned[]> {
  const found: Abandoned[] = [];
  for (const key of readdirSync(sessionsFolder())) {
    const files = sessionFiles(key);
    if (!existsSync(files.journal)) continue;
    const failed = lastFailure(files);
    // A clock that was set back makes it neither wait for ever nor fail.
    const since = failed === undefined ? againMilliseconds : Math.abs(now - Date.parse(failed.time));
    if (since < againMilliseconds || (await isLocked(files.lock))) continue;
    const acts = actsOf(files);
    if (acts.length > 0) found.push({ files, acts });
  }
  return found;
}

/** `restore` tells of one that cannot be read; here nobody listens. */
function actsOf(files: SessionFiles): readonly Act[] {
  try {
    return readJournal(files.journal);
  } catch {
    return [];
  }
}

/** The process that `startReplay` starts: undoes them all, unless another one is at it; says in the log how that ended. */
export async function replay(program: readonly string[], log: Log): Promise<void> {
  await using lock = await tryLockSession(replayLockPath());
  if (!lock) return;
  // Side by side: a cluster that is away for good must not keep the others.
  const undone = (await abandonedSessions()).map(async ({ files }) => {
    try {
      await undoSession(files, {
        program,
        log,
        progress: (text) => log.write('info', text, { session: files.key }),
        notice: (text) => log.write('warn', text, { session: files.key }),
      });
    } catch (error) {
      log.write('error', 'the undo is incomplete', { session: files.key, error });
    }
  });
  await Promise.all(undone);
}

/**
 * Undoes one session under its lock. The acts that were undone; none if there was nothing, undefined if a living process
 * holds it. Problems undo-incomplete, state-unwritable (the journal stays).
 */
export async function undoSession(files: SessionFiles, tools: UndoTools): Promise<readonly Act[] | undefined> {
  await using lock = await tryLockSession(files.lock);
  if (!lock) return undefined;
  const acts = readJournal(files.journal);
  try {
    if (acts.length > 0) {
      tools.log.write('info', 'undoing an interrupted session', { session: files.key, whose: describeSession(acts) });
      await undoAbandoned(acts, tools);
      tools.log.write('info', 'everything is undone', { session: files.key });
    }
  } catch (error) {
    rememberFailure(files, Problem.from(error));
    throw error;
  }
  try {
    rmSync(files.journal, { force: true });
  } catch (error) {
    throw stateProblem(files.folder, error);
  }
  removeSocket(files);
  forgetFailure(files);
  return acts;
}

/** A killed daemon has not removed it. Whoever holds the lock may: no daemon listens without it. */
function removeSocket({ socket }: SessionFiles): void {
  // On Windows it is a pipe, which goes with its process.
  if (process.platform !== 'win32') rmSync(socket, { force: true });
}
