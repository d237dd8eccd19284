/**
 * The life of a daemon's process: one per session, announced on descriptor 3 to the client that started it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { closeSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { removeOldLogs } from '../../diagnostics/log-rotation.ts';
import { ProcessLog } from '../../diagnostics/process-log.ts';
import { Problem } from '../../problem.ts';
import { type Announcement, announcementDescriptor } from '../announcement.ts';
import { tryLockSession } from '../session-lock.ts';
import { sessionFiles, stateProblem } from '../state-folder.ts';
import { Daemon } from './daemon.ts';

/** Runs a daemon for the session of this key until the session has ended. `program` starts this program. */
export async function runDaemon(key: string, program: readonly string[]): Promise<void> {
  const files = sessionFiles(key);
  process.chdir(files.folder);
  // A log that cannot be written, as on a full disk, is no reason to end a session.
  using log = new ProcessLog('daemon', () => files.log);
  try {
    removeOldLogs(dirname(files.log), files.log);
    await using lock = await tryLockSession(files.lock);
    if (!lock) {
      announce({ kind: 'taken' });
      return;
    }
    const token = randomBytes(32).toString('base64url');
    const daemon = new Daemon({ id: randomUUID(), files, token, program, log });
    await daemon.listen();
    writeFileSync(files.token, token, { mode: 0o600 });
    process.on('SIGTERM', () => daemon.stop('SIGTERM'));
    // The terminal that started a client sends these to its whole group; the daemon outlives it.
    process.on('SIGINT', () => {});
    process.on('SIGHUP', () => {});
    process.on('uncaughtException', (error) => {
      log.write('error', 'uncaught exception', { error });
      daemon.stop('uncaught exception');
    });
    process.on('unhandledRejection', (error) => {
      log.write('error', 'unhandled rejection', { error });
      daemon.stop('unhandled rejection');
    });
    announce({ kind: 'ready' });
    await daemon.ended;
  } catch (error) {
    log.write('error', 'the daemon could not start', { error });
    announce({ kind: 'failed', problem: Problem.from(stateProblem(files.folder, error)).toJSON() });
  }
}

function announce(announcement: Announcement): void {
  try {
    writeSync(announcementDescriptor, `${JSON.stringify(announcement)}\n`);
    closeSync(announcementDescriptor);
  } catch {
    // Started by hand, or announced already: nobody listens on the descriptor.
  }
}
