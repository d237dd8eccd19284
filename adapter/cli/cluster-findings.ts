/** What the doctor says of the cluster: reachable, the target found, the rights there, the image, the local ports free. Only reads. */
import { type Cluster, openCluster } from '../cluster/cluster.ts';
import { checkRights, missingOptionalRights } from '../cluster/rights.ts';
import { type ResolvedTarget, resolveTarget } from '../cluster/target.ts';
import { silentLog } from '../diagnostics/log.ts';
import { type Finding, limited, notPossible, ok } from '../network/doctor/finding.ts';
import { describeHolder, findConflicts } from '../network/ports/conflict.ts';
import { Problem } from '../problem.ts';
import { mapPorts } from '../session/workstation/port-mapping.ts';
import { imageFinding } from './image-finding.ts';

/** Which cluster, and what in it, if anything. */
export interface ClusterQuestion {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly target?: string;
  readonly container?: string;
  /** Container port (number or name) → local port. */
  readonly ports: Readonly<Record<string, number>>;
  /** The agent's, if it is to be looked for. */
  readonly agentImage?: string;
}

export interface ClusterFindings {
  readonly findings: readonly Finding[];
  /** Of the cluster, if it answers. */
  readonly version?: string | undefined;
  /** The first problem that a session would meet there. */
  readonly problem: Problem | undefined;
}

/** Asks step by step; what builds on a step that fails is left out. Rejects with what is no Problem. */
export async function clusterFindings(question: ClusterQuestion, signal: AbortSignal): Promise<ClusterFindings> {
  const findings: Finding[] = [];
  let step = 'cluster';
  let answered: string | undefined;
  try {
    const cluster: Cluster = await openCluster({ ...question, log: silentLog }, signal);
    const { context, server, user, version, namespace } = cluster;
    answered = version;
    findings.push(
      ok(step, `${context} (${server}, Kubernetes ${version}) answers; you are ${user}, in namespace ${namespace}.`),
    );
    if (question.target === undefined) return { findings, version, problem: undefined };
    step = 'target';
    const target: ResolvedTarget = await resolveTarget(cluster, question.target, question.container, signal);
    const { kind, name } = target.workload;
    findings.push(ok(step, `${kind.toLowerCase()}/${name}, container ${target.container}, can be replaced.`));
    step = 'rights';
    await checkRights(cluster, target, 'fail', signal);
    const lacking = await missingOptionalRights(cluster, [namespace], signal);
    findings.push(
      lacking.length === 0
        ? ok(step, 'You have all that a session on it needs.')
        : limited(step, `A session can stand. ${lacking.join(' ')}`, 'Ask for the Role of the documentation.'),
    );
    if (question.agentImage !== undefined) {
      step = 'image';
      findings.push(await imageFinding(step, cluster, question.agentImage, signal));
    }
    step = 'local ports';
    findings.push(await portsFinding(step, mapPorts(target, question.ports), signal));
    return { findings, version, problem: undefined };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const text = [error.what, error.why].filter(Boolean).join(' ');
    findings.push(notPossible(step, text, error.remedy === '' ? undefined : error.remedy));
    return { findings, version: answered, problem: error };
  }
}

/** Whether the program could listen on these (container port → local port). Problem privileges-needed. */
export async function portsFinding(
  subject: string,
  ports: ReadonlyMap<number, number>,
  signal: AbortSignal,
): Promise<Finding> {
  const conflicts = await findConflicts(ports, signal);
  if (conflicts.length > 0) {
    const taken = conflicts.map(({ port, owner }) => `${port} by ${owner ? describeHolder(owner) : 'somebody'}`);
    return limited(
      subject,
      `In use: ${taken.join('; ')}.`,
      'Choose others with "ports", or say with "onPortConflict" what to do.',
    );
  }
  const needed = [...ports.values()].join(', ');
  return ok(subject, needed === '' ? 'Your program needs none.' : `Your program can listen on ${needed}.`);
}
