/** The journal of a daemon's own session, and the undo of what it says: also of what a crashed daemon of that session left. */
import { rmSync } from 'node:fs';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Log } from '../../diagnostics/log.ts';
import { type PrivilegedHelper, startHelper } from '../../network/helper/helper-client.ts';
import { type Act, Journal, readJournal, type SessionAct } from '../journal/journal.ts';
import type { SessionFiles } from '../state-folder.ts';
import type { Step } from '../timings.ts';
import { forgetFailure } from '../undo/replay-outcome.ts';
import { openSessionCluster } from '../undo/session-cluster.ts';
import { undo } from '../undo/undo.ts';
import type { News } from './news.ts';

export interface OwnUndoOptions {
  readonly files: Pick<SessionFiles, 'journal' | 'replay'>;
  /** The command that starts this program; the privileged helper is one of its processes. */
  readonly program: readonly string[];
  readonly log: Log;
  readonly news: Pick<News, 'progress' | 'notice'>;
  /** The session's, whose connections are open already. */
  cluster(): Cluster | undefined;
  /** The session's, which may run already. */
  helper(signal: AbortSignal): Promise<PrivilegedHelper> | undefined;
}

export class OwnUndo {
  readonly #options: OwnUndoOptions;
  #journal: Journal | undefined;

  constructor(options: OwnUndoOptions) {
    this.#options = options;
  }

  /** The journal of a session that begins. Problem state-unwritable. */
  begin(act: SessionAct): Journal {
    const journal = new Journal(this.#options.files.journal);
    this.#journal = journal;
    journal.append(act);
    return journal;
  }

  /** What a crashed daemon of this same session left is undone before a new start. Problem undo-incomplete. */
  async leftovers(): Promise<void> {
    const { files, news } = this.#options;
    const acts = readJournal(files.journal);
    if (acts.length > 0) {
      news.progress('Undoing what an interrupted session left');
      await this.#undo(acts);
    }
    rmSync(files.journal, { force: true });
    forgetFailure(files);
  }

  /** All acts of the session, which knows them also when somebody has removed the state folder. Problem undo-incomplete. */
  all(step: Step): Promise<void> {
    return this.#undo(this.#journal?.acts ?? readJournal(this.#options.files.journal), step);
  }

  /** For when all is undone. A journal that cannot be removed does no harm: all of it may be undone again. */
  forget(): void {
    const { files, log } = this.#options;
    this.close();
    try {
      rmSync(files.journal, { force: true });
      forgetFailure(files);
    } catch (error) {
      log.write('warn', 'everything is undone, but the journal cannot be removed', { error });
    }
  }

  /** Nothing more is written into the journal; it may be closed again. */
  close(): void {
    this.#journal?.[Symbol.dispose]();
  }

  #undo(acts: readonly Act[], step?: Step): Promise<void> {
    const { log, program, news, cluster, helper } = this.#options;
    const { signal } = new AbortController();
    return undo({
      acts,
      ...(step !== undefined && { step }),
      openCluster: async (act) => cluster() ?? (await openSessionCluster(act, log, signal)),
      openHelper: () => helper(signal) ?? startHelper({ log, command: program, signal }),
      progress: (text) => news.progress(text),
      notice: (text) => news.notice({ level: 'warning', text }),
      signal,
    });
  }
}
