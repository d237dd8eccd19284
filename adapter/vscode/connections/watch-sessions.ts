/** Tells when a session of this computer may have begun or ended: by the file system, without asking again and again. */
import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../diagnostics/log.ts';
import { sessionsFolder } from '../../session/state-folder.ts';

/** A session writes several files when it begins. */
const settleMilliseconds = 200;

/** Calls `changed` soon after something has happened in the folder of a session. */
export function watchSessions(changed: () => void, log: Log): Disposable {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const follow = (folder: string) => {
    if (watchers.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, happened);
      watcher.on('error', () => forget(folder));
      watchers.set(folder, watcher);
    } catch (error) {
      // Too many are watched, or it is gone again: a look is taken when the window gets the focus, too.
      log.write('debug', 'a folder cannot be watched', { folder, error });
    }
  };
  const forget = (folder: string) => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const happened = () => {
    if (ended) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      followAll();
      changed();
    }, settleMilliseconds);
  };
  const followAll = () => {
    try {
      const root = sessionsFolder();
      follow(root);
      for (const name of readdirSync(root)) follow(join(root, name));
    } catch (error) {
      log.write('debug', 'the sessions cannot be watched', { error });
    }
  };
  followAll();
  return {
    [Symbol.dispose]() {
      ended = true;
      clearTimeout(timer);
      for (const folder of [...watchers.keys()]) forget(folder);
    },
  };
}
