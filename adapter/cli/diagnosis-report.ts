/** Makes the diagnosis that a user is shown: from inside a session where one stands, else from all that can be seen outside. */
import { chooseContext } from '../cluster/kubeconfig.ts';
import { type Diagnosis, emptyDiagnosis, redacted } from '../diagnostics/diagnosis.ts';
import type { Log } from '../diagnostics/log.ts';
import { logFiles } from '../diagnostics/log-rotation.ts';
import { versionsHere } from '../diagnostics/versions.ts';
import { Problem } from '../problem.ts';
import { sessionDiagnosis } from '../session/client/diagnosis-client.ts';
import { type KnownSession, knownSessions } from '../session/client/known-sessions.ts';
import type { SessionChoice } from '../session/client/session-choice.ts';
import { describeActs, describeSession } from '../session/journal/described-acts.ts';
import { sessionProtocolVersion } from '../session/protocol.ts';
import { sessionFiles } from '../session/state-folder.ts';
import { type DoctorReport, examine } from './doctor.ts';

export interface DiagnosisQuestion {
  /** The session; undefined if there is none that is meant. */
  readonly key: string | undefined;
  readonly place: SessionChoice;
  readonly known?: readonly KnownSession[];
  /** Why there is no session, if that is known. */
  readonly problem?: Problem | undefined;
  readonly log: Log;
}

/** Rejects only by the signal: what goes wrong is the diagnosis' `problem`. */
export async function diagnosisOf(question: DiagnosisQuestion, signal: AbortSignal): Promise<Diagnosis> {
  const { key, log } = question;
  const known = question.known ?? (await knownSessions());
  const leftovers = known
    .filter((each) => each.status === undefined && each.key !== key)
    .map(({ key: its, acts }) => ({ key: its, what: describeSession(acts), changes: [...describeActs(acts)] }));
  let problem = question.problem;
  if (key !== undefined) {
    try {
      const inside = await sessionDiagnosis(key);
      if (inside) return redacted({ ...inside, leftovers }, log.redactor);
    } catch (error) {
      problem ??= Problem.from(error);
    }
  }
  const acts = known.find((each) => each.key === key)?.acts ?? [];
  const outside = await fromOutside(question.place, log, signal);
  problem ??= outside.problem;
  return redacted(
    {
      ...emptyDiagnosis(
        acts.length > 0 ? 'interrupted' : 'none',
        versionsHere(sessionProtocolVersion, outside.version),
      ),
      ...(key !== undefined && { session: { key }, logs: [...logFiles(sessionFiles(key).log)] }),
      ...(outside.place && { place: outside.place }),
      changes: [...describeActs(acts)],
      leftovers,
      findings: findingsOf(outside.report),
      ...(problem && { problem: problem.toJSON() }),
    },
    log.redactor,
  );
}

interface Outside {
  readonly place: Diagnosis['place'];
  readonly version: string | undefined;
  readonly report: DoctorReport;
  readonly problem: Problem | undefined;
}

/** What the kubeconfig, the cluster and this computer tell without a session. */
async function fromOutside(choice: SessionChoice, log: Log, signal: AbortSignal): Promise<Outside> {
  const { target, namespace, context, kubeconfig } = choice;
  let place: Diagnosis['place'];
  let problem: Problem | undefined;
  try {
    const chosen = chooseContext({ kubeconfig: kubeconfig ?? process.env.KUBECONFIG, context, log });
    const { context: name, server, user } = chosen;
    place = { context: name, server, user, namespace: namespace ?? chosen.namespace, ...(target && { target }) };
  } catch (error) {
    problem = Problem.from(error);
  }
  const asked = {
    ...(target !== undefined && { target }),
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(place && { context: place.context, namespace: place.namespace }),
  };
  const report = await examine(asked, signal);
  return { place, version: report.cluster?.version, report, problem: problem ?? report.cluster?.problem };
}

function findingsOf({ workstation, cluster }: DoctorReport): Diagnosis['findings'] {
  const modes = workstation.modes.map(({ finding }) => finding);
  return [...(cluster?.findings ?? []), ...workstation.findings, ...modes, workstation.auto];
}
