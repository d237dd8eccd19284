/** The rights that only the names need: a session works without them, and this says what it lacks then. */
import { relistMilliseconds } from './watch-or-list.ts';

/** One right, in the words of RBAC, with what is lost without it. */
export interface NameRight {
  readonly verb: 'list' | 'watch';
  readonly group: string;
  readonly resource: 'services' | 'endpointslices';
  readonly namespace: string;
  /** In full sentences. */
  readonly loss: string;
}

const later = `show here after up to ${relistMilliseconds / 1000} seconds.`;
const endpointSlices = { group: 'discovery.k8s.io', resource: 'endpointslices' } as const;

/** Those for a namespace; the session's own needs `list` on services anyway. */
export function nameRights(namespace: string, isOwn: boolean): readonly NameRight[] {
  const services = { group: '', resource: 'services', namespace } as const;
  const slices = { ...endpointSlices, namespace } as const;
  return [
    ...(isOwn ? [] : [{ ...services, verb: 'list', loss: 'Its Services have no names here.' } as const]),
    { ...services, verb: 'watch', loss: `Services that come or go during the session ${later}` },
    {
      ...slices,
      verb: 'list',
      loss: 'Headless Services are called by their own names only, not by names of pods such as db-0.db.',
    },
    { ...slices, verb: 'watch', loss: `Pods of headless Services that come or go during the session ${later}` },
  ];
}

/** What the user is told without this right, in full sentences. */
export function missingNameRight({ verb, resource, namespace, loss }: NameRight): string {
  return `You may not ${verb} ${resource} in namespace ${namespace}. ${loss}`;
}
