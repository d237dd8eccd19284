/** The acts of a journal in plain words, each with its undo. No value that was or is set appears, but for images. */
import { describeChange } from '../../cluster/changes.ts';
import { display } from '../../cluster/kinds.ts';
import type { DescribedChange } from '../../diagnostics/diagnosis.ts';
import type { Act } from './journal.ts';

/** What was changed, in the order in which it was. */
export function describeActs(acts: readonly Act[]): readonly DescribedChange[] {
  const session = acts.find((act) => act.act === 'session');
  return acts.flatMap((act) => describeAct(act, session?.namespace ?? ''));
}

/** The acts without what the workload was set to: enough to see what happened, nothing that could be a secret. */
export function withoutValues(acts: readonly Act[]): readonly object[] {
  return acts.map((act) => {
    if (act.act !== 'replacement') return act;
    const { original: _original, changes, ...record } = act.record;
    const bare = changes.map(({ before, after, ...where }) => ({
      ...where,
      before: before === null ? 'absent' : 'present',
      after: after === null ? 'absent' : 'present',
    }));
    return { act: act.act, record: { ...record, changes: bare } };
  });
}

/** Whose journal it is, in a few words. */
export function describeSession(acts: readonly Act[]): string {
  const session = acts.find((act) => act.act === 'session');
  if (session === undefined) return 'a session';
  return `${session.target} in ${session.namespace} of ${session.context}, begun ${session.started}`;
}

function describeAct(act: Act, namespace: string): readonly DescribedChange[] {
  switch (act.act) {
    case 'session':
      return [];
    case 'lease':
      return [
        {
          where: 'cluster',
          what: `Lease ${act.name} in namespace ${namespace} tells others that you hold the workload.`,
          undo: 'It is deleted.',
        },
      ];
    case 'replacement': {
      const { workload, container, changes, image, readyBefore } = act.record;
      const fields = changes.map((change) => describeChange(container, change)).join(', ');
      const pods = `${readyBefore} ready ${readyBefore === 1 ? 'pod' : 'pods'}`;
      return [
        {
          where: 'cluster',
          what: `${display(workload)} in namespace ${workload.namespace} runs the agent ${image} in place of container ${container}. Changed: ${fields}.`,
          undo:
            workload.kind === 'Pod'
              ? 'The pod is made again as it was.'
              : `Each of these gets its former value, unless somebody else has changed it since; then ${pods} are waited for.`,
        },
      ];
    }
    case 'gone':
      return [
        {
          where: 'cluster',
          what: `The workload in namespace ${namespace} was deleted by somebody else during the session.`,
          undo: 'It is not brought back.',
        },
      ];
    case 'reaper':
      return [
        {
          where: 'cluster',
          what: `Deployment, ServiceAccount, Role and RoleBinding ${act.name} in namespace ${namespace} put the original back if this computer vanishes.`,
          undo: 'They are deleted.',
        },
      ];
    case 'guest':
      return [
        {
          where: 'cluster',
          what: `Lease ${act.lease} in namespace ${namespace} names you as a guest of the session that holds it.`,
          undo: 'The entry is taken out.',
        },
      ];
    case 'hosts':
      return [
        {
          where: 'computer',
          what: `${act.file} has a block with the names of Services.`,
          undo: 'The block is taken out; all other lines stay.',
        },
      ];
    case 'volumes':
      return [
        {
          where: 'computer',
          what: `${act.folder} has the files of the pod's volumes.`,
          undo: 'The folder is removed.',
        },
      ];
    case 'link':
      return [
        {
          where: 'computer',
          what: `${act.path} leads to files of the pod's volumes.`,
          undo: 'The link is removed.',
        },
      ];
  }
}
