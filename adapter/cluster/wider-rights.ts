/** The rights in the session's namespace that a session does without: each makes something more possible. */
import { groupOf, resourceOf, workloadKinds } from './kinds.ts';
import type { Right } from './right.ts';

/** A right, and what is gained by it. */
export interface WiderRight extends Right {
  /** Not a sentence; it may stand behind "optional:". */
  readonly gain: string;
}

const controllers = workloadKinds.filter((kind) => kind !== 'Pod');

/** All of them. The names' own are in name-rights.ts, those of variables and files in content-rights.ts. */
export const widerRights: readonly WiderRight[] = [
  ...controllers.map((kind) => ({
    verb: 'list',
    group: groupOf(kind),
    resource: resourceOf(kind),
    gain: 'a workload named without its kind, the nearest names after a typing error, what dead sessions left',
  })),
  ...controllers.map((kind) => ({
    verb: 'watch',
    group: groupOf(kind),
    resource: resourceOf(kind),
    gain: 'what others do to the workload shows at once, not within two seconds',
  })),
  ...['replicasets', 'controllerrevisions'].flatMap((resource) =>
    ['list', 'delete'].map((verb) => ({
      verb,
      group: 'apps',
      resource,
      gain: 'no revision with the agent stays in the history of the workload ("kubectl rollout undo")',
    })),
  ),
  ...['list', 'watch'].map((verb) => ({
    verb,
    group: 'coordination.k8s.io',
    resource: 'leases',
    gain: '"status --cluster", "restore --namespace"; who waits, shares or takes over is seen at once',
  })),
  {
    verb: 'list',
    group: '',
    resource: 'events',
    gain: 'why pods of a StatefulSet or DaemonSet cannot be created (quota, admission)',
  },
];
