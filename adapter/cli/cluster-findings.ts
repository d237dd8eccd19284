/** What the doctor says of the cluster: reachable, the target found, the rights there, the local ports free. Only reads. */
import { type Cluster, openCluster } from '../cluster/cluster.ts';
import { checkRights } from '../cluster/rights.ts';
import { type ResolvedTarget, resolveTarget } from '../cluster/target.ts';
import { silentLog } from '../diagnostics/log.ts';
import { type Finding, limited, notPossible, ok } from '../network/doctor/finding.ts';
import { describeHolder, findConflicts } from '../network/ports/conflict.ts';
import { Problem } from '../problem.ts';
import { mapPorts } from '../session/port-mapping.ts';

/** Which cluster, and what in it, if anything. */
export interface ClusterQuestion {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly target?: string;
  readonly container?: string;
  readonly ports: Readonly<Record<string, number>>;
}

export interface ClusterFindings {
  readonly findings: readonly Finding[];
  /** The first problem that a session would meet there. */
  readonly problem: Problem | undefined;
}

/** Asks step by step; what builds on a step that fails is left out. Rejects with what is no Problem. */
export async function clusterFindings(question: ClusterQuestion, signal: AbortSignal): Promise<ClusterFindings> {
  const findings: Finding[] = [];
  let step = 'cluster';
  try {
    const cluster: Cluster = await openCluster({ ...question, log: silentLog }, signal);
    const { context, server, user, version, namespace } = cluster;
    findings.push(
      ok(step, `${context} (${server}, Kubernetes ${version}) answers; you are ${user}, in namespace ${namespace}.`),
    );
    if (question.target === undefined) return { findings, problem: undefined };
    step = 'target';
    const target: ResolvedTarget = await resolveTarget(cluster, question.target, question.container, signal);
    const { kind, name } = target.workload;
    findings.push(ok(step, `${kind.toLowerCase()}/${name}, container ${target.container}, can be replaced.`));
    step = 'rights';
    await checkRights(cluster, target, signal);
    findings.push(ok(step, 'You have all that a session on it needs.'));
    step = 'local ports';
    findings.push(await portsFinding(step, mapPorts(target, question.ports), signal));
    return { findings, problem: undefined };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const text = [error.what, error.why].filter(Boolean).join(' ');
    findings.push(notPossible(step, text, error.remedy === '' ? undefined : error.remedy));
    return { findings, problem: error };
  }
}

async function portsFinding(
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
