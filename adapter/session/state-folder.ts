/**
 * Where a session keeps what must survive its processes: journal, log, token, socket. Logs are in the system's folder for
 * temporary files, where users look for them and the system tidies up; all else is in the user's state folder.
 * All folders are 0700 and all files 0600; a folder of somebody else's is refused.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { Problem } from '../problem.ts';

/** The root of all state: `$KUBERNETES_LOCAL_STATE`, else the XDG state folder. */
function stateFolder(): string {
  return privateFolder(stateFolderPath());
}

function stateFolderPath(): string {
  const { KUBERNETES_LOCAL_STATE: own, XDG_STATE_HOME: xdg } = process.env;
  return own || join(xdg || join(homedir(), '.local', 'state'), 'kubernetes-local');
}

const journalName = 'journal.jsonl';

/** Held by whoever undoes what interrupted sessions left, one at a time. */
export function replayLockPath(): string {
  return join(stateFolder(), 'replay.lock');
}

/** Whether some session has a journal: it lives, or has left something. Makes nothing, and never throws. */
export function hasJournals(): boolean {
  const folder = join(stateFolderPath(), 'sessions');
  try {
    return readdirSync(folder).some((key) => existsSync(join(folder, key, journalName)));
  } catch {
    return false;
  }
}

/** The folder that holds one folder for each session known on this computer. */
export function sessionsFolder(): string {
  return privateFolder(join(stateFolder(), 'sessions'));
}

/**
 * The folder of all logs: `kubernetes-local-UID/logs` in the folder for temporary files, or beneath
 * `$KUBERNETES_LOCAL_STATE`. If somebody else has taken that name, it is in the state folder. Problem state-unwritable.
 */
export function logsFolder(): string {
  if (process.env.KUBERNETES_LOCAL_STATE) return privateFolder(join(stateFolder(), 'logs'));
  try {
    return privateFolder(join(privateFolder(temporaryFolder()), 'logs'));
  } catch {
    return privateFolder(join(stateFolder(), 'logs'));
  }
}

/** The files of one session. `key` is `sessionKey`'s. */
export interface SessionFiles {
  readonly key: string;
  readonly folder: string;
  readonly journal: string;
  readonly log: string;
  readonly token: string;
  readonly lock: string;
  /** How the last undo by a later command failed; missing if none did. */
  readonly replay: string;
  readonly socket: string;
}

/** The files of the session with this key; the folder is made if it is missing. */
export function sessionFiles(key: string): SessionFiles {
  const folder = privateFolder(join(sessionsFolder(), key));
  return {
    key,
    folder,
    journal: join(folder, journalName),
    log: join(logsFolder(), `session-${key}.log`),
    token: join(folder, 'token'),
    lock: join(folder, 'lock'),
    replay: join(folder, 'replay.json'),
    socket:
      process.platform === 'win32' ? `\\\\.\\pipe\\kubernetes-local-${key}` : join(socketFolder(folder), `${key}.sock`),
  };
}

/** A Unix socket's path holds 107 bytes at most, which a deep state folder would exceed. */
function socketFolder(sessionFolder: string): string {
  if (Buffer.byteLength(sessionFolder) < 70) return sessionFolder;
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  return privateFolder(runtime ? join(runtime, 'kubernetes-local') : temporaryFolder());
}

/** Windows has no numbers of users, and a folder for temporary files for each of them. */
function temporaryFolder(): string {
  return join(tmpdir(), `kubernetes-local-${process.getuid?.() ?? userInfo().username}`);
}

function privateFolder(path: string): string {
  try {
    if (!existsSync(path)) make(path);
    const stat = lstatSync(path);
    const foreign = process.getuid !== undefined && stat.uid !== process.getuid();
    const open = process.platform !== 'win32' && (stat.mode & 0o022) !== 0;
    if (!stat.isDirectory() || foreign || open) {
      throw new Error(foreign ? 'it belongs to another user' : open ? 'others may write in it' : 'it is not a folder');
    }
    return path;
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Several processes may make it at the same time. */
function make(path: string): void {
  try {
    // Of a read-only disk Node says ENOENT where it makes parents too; asked for one folder it says what is wrong.
    mkdirSync(path, { recursive: !existsSync(dirname(path)), mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

const diskErrors = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'ENOENT', 'ENOTDIR']);

/** An error of the file system in the state folder as Problem state-unwritable; any other as it is. */
export function stateProblem(folder: string, error: unknown): unknown {
  const isDisks = error instanceof Error && 'code' in error && diskErrors.has(String(error.code));
  return isDisks && !(error instanceof Problem) ? unusable(folder, error) : error;
}

function unusable(path: string, error: unknown): Problem {
  return new Problem(
    {
      code: 'state-unwritable',
      what: `The state folder ${path} cannot be used.`,
      why: error instanceof Error ? error.message : String(error),
      remedy:
        'Make it a folder of your own with mode 0700 and some free space, or set KUBERNETES_LOCAL_STATE to another one.',
    },
    { cause: error },
  );
}
