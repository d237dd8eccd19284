import { readdirSync, rmSync } from 'node:fs';
import { Command } from 'commander';
import { silentLog } from '../diagnostics/log.ts';
import { startHelper } from '../network/helper-client.ts';
import { openRecordedCluster } from '../session/daemon.ts';
import { type Act, readJournal } from '../session/journal.ts';
import { tryLockSession } from '../session/session-lock.ts';
import { sessionFiles, sessionsFolder } from '../session/state-folder.ts';
import { undo } from '../session/undo.ts';
import { ownProgram } from './program.ts';
import { showLine, showNotice, showProgress } from './terminal.ts';

/** `restore`: undoes what interrupted sessions of this computer left. */
export function restoreCommand(): Command {
  return new Command('restore')
    .description('undo what interrupted sessions of this computer left in the cluster and on the computer')
    .action(async () => {
      let found = 0;
      for (const key of readdirSync(sessionsFolder())) {
        const files = sessionFiles(key);
        // A living daemon holds the lock and undoes its session itself.
        await using lock = await tryLockSession(files.lock);
        if (!lock) {
          showLine(`Session ${key} is alive and was left alone.`);
          continue;
        }
        const acts = readJournal(files.journal);
        if (acts.length === 0) continue;
        found++;
        showLine(`Undoing ${describe(acts)}`);
        await undoActs(acts);
        rmSync(files.journal, { force: true });
        showLine('Undone.');
      }
      if (found === 0) showLine('Nothing was left behind on this computer.');
    });
}

function describe(acts: readonly Act[]): string {
  const session = acts.find((act) => act.act === 'session');
  return session
    ? `${session.target} in ${session.namespace} of ${session.context}, begun ${session.started}`
    : 'a session';
}

function undoActs(acts: readonly Act[]): Promise<void> {
  const { signal } = new AbortController();
  return undo({
    acts,
    openCluster: (act) => openRecordedCluster(act, silentLog, signal),
    openHelper: () => startHelper({ log: silentLog, command: ownProgram(), signal }),
    progress: showProgress,
    notice: (text) => showNotice({ level: 'warning', text }),
    signal,
  }).done;
}
