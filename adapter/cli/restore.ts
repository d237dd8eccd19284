import { readdirSync, rmSync } from 'node:fs';
import { Command } from 'commander';
import { openCluster } from '../cluster/cluster.ts';
import { findStaleSessions } from '../cluster/stale.ts';
import { silentLog } from '../diagnostics/log.ts';
import { startHelper } from '../network/helper/helper-client.ts';
import { releaseSession } from '../session/client.ts';
import { type Act, readJournal } from '../session/journal.ts';
import { openSessionCluster } from '../session/session-cluster.ts';
import { tryLockSession } from '../session/session-lock.ts';
import { sessionFiles, sessionsFolder } from '../session/state-folder.ts';
import { undo } from '../session/undo.ts';
import { askAtTerminal } from './ask-at-terminal.ts';
import { ownProgram } from './program.ts';
import { showLine, showNotice, showProgress } from './terminal.ts';

interface RestoreFlags {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** `restore`: undoes what interrupted sessions left, on this computer and, where asked, in a namespace. */
export function restoreCommand(): Command {
  return new Command('restore')
    .description('undo what interrupted sessions of this computer left; with -n also those of other computers')
    .option('-n, --namespace <namespace>', 'also undo dead sessions of other computers in this namespace')
    .option('--context <context>', 'context of the kubeconfig for -n (default: the current one)')
    .option('--kubeconfig <path>', 'kubeconfig file or list (default: KUBECONFIG, ~/.kube/config)')
    .action(async (flags: RestoreFlags) => {
      const here = await restoreThisComputer();
      const elsewhere =
        flags.namespace === undefined ? 0 : await restoreNamespace({ ...flags, namespace: flags.namespace });
      if (here + elsewhere === 0) showLine('Nothing was left behind.');
    });
}

/** Undoes the journals of this computer; returns how many there were. */
async function restoreThisComputer(): Promise<number> {
  let found = 0;
  for (const key of readdirSync(sessionsFolder())) {
    const files = sessionFiles(key);
    const released = await releaseSession(key, { hold: false });
    if (released === 'held') {
      showLine(`Session ${key} is held by its user and was left alone; "kubernetes-local disconnect" ends it.`);
      continue;
    }
    if (released === 'ended') {
      found++;
      showLine(`Session ${key} has no client any more and was ended.`);
    }
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
  return found;
}

/** Undoes the sessions in a namespace whose Lease has expired, from the record on the workload; returns how many. */
async function restoreNamespace(flags: RestoreFlags & { readonly namespace: string }): Promise<number> {
  const { signal } = new AbortController();
  const cluster = await openCluster({ ...flags, log: silentLog }, signal);
  let found = 0;
  for (const { record, leaseName, alive, holder, since } of await findStaleSessions(cluster, signal)) {
    const whose = `${record.workload.kind.toLowerCase()}/${record.workload.name}, held by ${holder ?? 'nobody any more'} since ${since}`;
    if (alive) {
      showLine(`The session on ${whose} is alive and was left alone.`);
      continue;
    }
    found++;
    showLine(`Undoing the session on ${whose}`);
    await undoActs([
      {
        act: 'session',
        version: 1,
        id: record.session,
        started: since,
        pid: process.pid,
        context: cluster.context,
        namespace: cluster.namespace,
        target: record.workload.name,
        ...(flags.kubeconfig !== undefined && { kubeconfig: flags.kubeconfig }),
      },
      { act: 'lease', name: leaseName },
      { act: 'replacement', record },
    ]);
    showLine('Undone.');
  }
  return found;
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
    openCluster: (act) => openSessionCluster(act, silentLog, signal),
    openHelper: () => startHelper({ log: silentLog, command: ownProgram(), consent: askAtTerminal.consent, signal }),
    progress: showProgress,
    notice: (text) => showNotice({ level: 'warning', text }),
    signal,
  });
}
