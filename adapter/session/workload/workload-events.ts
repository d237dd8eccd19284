/** What others have done to the workload of a session, in the user's words. */
import type { Author } from '../../cluster/authors.ts';
import { gitOpsTool, howToPause } from '../../cluster/gitops.ts';
import { display } from '../../cluster/kinds.ts';
import type { NamespaceState } from '../../cluster/namespace-state.ts';
import type { ReplacementRecord } from '../../cluster/record.ts';
import type { WorkloadChange } from '../../cluster/workload-changes.ts';
import type { Workload } from '../../cluster/workloads.ts';
import { Problem } from '../../problem.ts';
import type { Notice } from '../protocol.ts';

/** How the user is told of a change with which the session goes on; undefined for one that ends it. */
export function noticeOf(record: ReplacementRecord, change: WorkloadChange): Notice | undefined {
  const name = display(record.workload);
  switch (change.kind) {
    case 'scaled': {
      const what = `${name} was scaled from ${change.from} to ${pods(change.to)}${by(change.by)}.`;
      if (change.to === 0) {
        return {
          level: 'warning',
          text: `${what} No agent is left: nothing from the cluster reaches your program, and it reaches nothing there. The session goes on as soon as there are pods again.`,
        };
      }
      return { level: 'info', text: change.to > change.from ? `${what} The new ones run the agent too.` : what };
    }
    case 'restarted':
      return {
        level: 'info',
        text: `${name} is being restarted${by(change.by)}. Its new pods run the agent too; connections through the old ones end.`,
      };
    case 'variables': {
      const names = change.names.map((each) => (each === 'envFrom' ? 'those of envFrom' : each)).join(', ');
      return {
        level: 'warning',
        text: `Environment variables of container ${record.container} were changed${by(change.by)}: ${names}. Your program still has the former values; the next session has the new ones. The change stays.`,
      };
    }
    case 'template':
      return {
        level: 'info',
        text: `The pod template of ${name} was changed${by(change.by)}: ${change.paths.join(', ')}. The session goes on, and the change stays after it.`,
      };
    case 'paused':
      return change.paused
        ? {
            level: 'warning',
            text: `${name} was paused${by(change.by)}. The session goes on; the original can only come back when somebody resumes it ("kubectl rollout resume ${name}").`,
          }
        : { level: 'info', text: `${name} was resumed${by(change.by)}.` };
    default:
      return undefined;
  }
}

/** Why the session cannot go on after this change. `workload` is what is there now. */
export function problemOf(
  record: ReplacementRecord,
  change: WorkloadChange,
  workload: Workload | undefined,
  namespace: NamespaceState,
): Problem {
  const name = display(record.workload);
  if (change.kind === 'agent-removed') {
    const pause = workload && howToPause(change.by?.manager, workload.object.metadata);
    const again = 'Nothing of it is overwritten; what is left of the session is being undone.';
    return new Problem({
      code: 'workload-changed',
      what: change.undone
        ? `${name} was put back to what it was before the session${by(change.by)}.`
        : `${name} was changed${by(change.by)} so that the agent cannot run in it any longer.`,
      why: `Changed: ${change.fields.join(', ')}.`,
      remedy: pause === undefined ? `${again} Then start again.` : `${again} ${pause}. Then start again.`,
    });
  }
  const isEnding = namespace === 'ending' || namespace === 'gone';
  const why = 'why' in change && change.why !== '' ? change.why : 'Somebody else did it during the session.';
  return new Problem({
    code: 'workload-changed',
    what: change.kind === 'remade' ? `${name} was deleted and made again.` : `${name} was deleted.`,
    why: isEnding ? `Its namespace ${record.workload.namespace} is being deleted.` : why,
    remedy:
      change.kind === 'remade' ? 'Start again.' : 'It is not brought back. Start again when it is there once more.',
  });
}

/** ` by Argo CD (argocd-controller)`; empty if nobody is known. */
function by(author: Author | undefined): string {
  if (author === undefined || author.manager === '') return '';
  const { manager } = author;
  if (manager === 'kube-controller-manager') return ' by an autoscaler of the cluster';
  const tool = gitOpsTool(manager);
  return ` by ${tool === undefined ? manager : `${tool} (${manager})`}`;
}

function pods(count: number): string {
  return `${count} ${count === 1 ? 'pod' : 'pods'}`;
}
