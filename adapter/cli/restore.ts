import { Command } from 'commander';
import { openCluster } from '../cluster/cluster.ts';
import { readEverybodysSessions } from '../cluster/everybodys-sessions.ts';
import { display, parseTarget } from '../cluster/kinds.ts';
import { releaseLease } from '../cluster/lease.ts';
import { reaperName } from '../cluster/reaper.ts';
import { type FoundSession, findStaleSessions } from '../cluster/stale.ts';
import { silentLog } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import { releaseSession } from '../session/client/client.ts';
import { type KnownSession, knownSessions } from '../session/client/known-sessions.ts';
import { chosenSession, type SessionChoice } from '../session/client/session-choice.ts';
import { describeSession } from '../session/journal/described-acts.ts';
import { awaitUnlocked } from '../session/session-lock.ts';
import { sessionFiles } from '../session/state-folder.ts';
import { type UndoTools, undoAbandoned, undoSession } from '../session/undo/replay.ts';
import { askAtTerminal } from './ask-at-terminal.ts';
import { errorFormatOption } from './error-format.ts';
import { ownProgram } from './program.ts';
import { reportProblem, showLine, showNotice, showProgress } from './terminal.ts';

interface RestoreFlags extends SessionChoice {
  readonly all?: true;
}

/** What could not be undone does not keep the rest from being undone. */
interface Restored {
  /** How many sessions had left something. */
  found: number;
  readonly problems: Problem[];
}

/** `restore`: undoes what interrupted sessions left, on this computer and, where asked, in a namespace. */
export function restoreCommand(): Command {
  return new Command('restore')
    .description('undo what interrupted sessions of this computer left; with -n also those of other computers')
    .option('--all', 'every session of this computer (this is what it does without any option)')
    .option('-s, --session <key>', 'only this session of this computer, as "status" names it')
    .option('-t, --target <target>', 'only the sessions for this target')
    .option('-n, --namespace <namespace>', 'also undo dead sessions of other computers in this namespace')
    .option('--context <context>', 'context of the kubeconfig for -n and --target (default: the current one)')
    .option('--kubeconfig <path>', 'kubeconfig file or list (default: KUBECONFIG, ~/.kube/config)')
    .addOption(errorFormatOption())
    .action(restore);
}

async function restore({ all, ...flags }: RestoreFlags): Promise<void> {
  const { session, target, namespace } = flags;
  if (Number(all === true) + Number(session !== undefined) + Number(target !== undefined) > 1) {
    throw new Problem({
      code: 'bad-arguments',
      what: 'Of --all, --session and --target only one can be given.',
      why: '',
      remedy: 'Add --help for the options.',
    });
  }
  const restored: Restored = { found: 0, problems: [] };
  const known = await knownSessions();
  const wanted = session === undefined && target === undefined ? undefined : chosenSession(flags, known);
  for (const each of known) {
    if (wanted === undefined || wanted === each.key) await attempt(restored, () => restoreHere(each));
  }
  if (namespace !== undefined && session === undefined) await restoreNamespace({ ...flags, namespace }, restored);
  const { found, problems } = restored;
  const last = problems.pop();
  for (const problem of problems) reportProblem(problem);
  if (last !== undefined) throw last;
  if (found === 0) showLine('Nothing was left behind.');
}

/** Counts what was found, and goes on after a failure. */
async function attempt(restored: Restored, act: () => Promise<boolean>): Promise<void> {
  try {
    if (await act()) restored.found++;
  } catch (error) {
    restored.problems.push(Problem.from(error));
  }
}

/** Undoes one session of this computer; whether it had left something. */
async function restoreHere({ key, acts, left, unreadable }: KnownSession): Promise<boolean> {
  const files = sessionFiles(key);
  const isAlive = `Session ${key} is alive and was left alone.`;
  if (left === 'silent') {
    showLine(`${isAlive} Its daemon does not answer: it may be stopped, or busy.`);
    return false;
  }
  if (left === 'being-undone') {
    showProgress(`Waiting for the undo of ${describeSession(acts)}, which is under way`);
    await awaitUnlocked(files.lock, new AbortController().signal);
  } else if (left === undefined) {
    const released = await releaseSession(key, { hold: false });
    if (released === 'held') {
      showLine(`Session ${key} is held by its user and was left alone; "kubernetes-local disconnect" ends it.`);
      return false;
    }
    if (released === 'ended') showLine(`Session ${key} has no client any more and was ended.`);
    else if (released !== undefined) {
      showLine(isAlive);
      return false;
    }
    await awaitUnlocked(files.lock, new AbortController().signal);
  } else if (unreadable === undefined) showLine(`Undoing ${describeSession(acts)}`);
  // What is still in the journal then, nobody has undone. One that cannot be read is an error, and stays.
  const undone = await undoSession(files, tools());
  if (undone === undefined && left === 'interrupted') {
    // Another command began to undo it since we looked, or a new session has.
    const [now] = await knownSessions((each) => each === key);
    if (now !== undefined) return restoreHere(now);
    showLine('Undone.');
    return true;
  }
  if (undone === undefined) showLine(isAlive);
  else if (left !== undefined || undone.length > 0) showLine('Undone.');
  return undone !== undefined;
}

/** Undoes the sessions in a namespace whose Lease has expired, from the record on the workload. */
async function restoreNamespace(
  flags: RestoreFlags & { readonly namespace: string },
  restored: Restored,
): Promise<void> {
  const { signal } = new AbortController();
  const { namespace, context, kubeconfig, target } = flags;
  const place = {
    namespace,
    ...(context !== undefined && { context }),
    ...(kubeconfig !== undefined && { kubeconfig }),
  };
  const cluster = await openCluster({ ...place, log: silentLog }, signal);
  for (const stale of await findStaleSessions(cluster, signal)) {
    if (matches(target, display(stale.record.workload))) {
      await attempt(restored, () => restoreStale(stale, cluster.context, place));
    }
  }
  // One that died before it changed the workload has left its Lease alone.
  const { sessions } = await readEverybodysSessions(cluster, signal);
  for (const { lease, session, alive, replaced, workload } of sessions) {
    if (lease === undefined || alive || replaced !== false || !matches(target, workload)) continue;
    await attempt(restored, async () => {
      showLine(`Removing the Lease of a session on ${workload} that has died`);
      await releaseLease(cluster, lease, session, signal);
      showLine('Undone.');
      return true;
    });
  }
}

async function restoreStale(
  { record, leaseName, alive, holder, since }: FoundSession,
  context: string,
  { namespace, kubeconfig }: { readonly namespace: string; readonly kubeconfig?: string },
): Promise<boolean> {
  const whose = `${display(record.workload)}, held by ${holder ?? 'nobody any more'} since ${since}`;
  if (alive) {
    showLine(`The session on ${whose} is alive and was left alone.`);
    return false;
  }
  showLine(`Undoing the session on ${whose}`);
  const { name } = record.workload;
  const session = { act: 'session', version: 1, id: record.session, started: since, pid: process.pid } as const;
  await undoAbandoned(
    [
      { ...session, context, namespace, target: name, ...(kubeconfig !== undefined && { kubeconfig }) },
      { act: 'lease', name: leaseName },
      { act: 'replacement', record },
      { act: 'reaper', name: reaperName(record.workload) },
    ],
    tools(),
  );
  showLine('Undone.');
  return true;
}

/** Whether a user who says this means that workload: `cart`, `service/cart`, or `deployment/cart` with its own kind. */
function matches(target: string | undefined, workload: string): boolean {
  if (target === undefined) return true;
  const { kind, name } = parseTarget(target);
  if (kind === undefined || kind === 'Service') return workload.endsWith(`/${name}`);
  return workload === display({ kind, name });
}

function tools(): UndoTools {
  return {
    program: ownProgram(),
    log: silentLog,
    consent: askAtTerminal.consent,
    progress: showProgress,
    notice: (text) => showNotice({ level: 'warning', text }),
  };
}
