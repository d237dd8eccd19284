/** Every session in a namespace, whoever holds it, as the cluster knows it: from Leases and from the marks on workloads. */
import { originalsOf, reaperLabel, sessionAnnotation } from './annotations.ts';
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { display, pathOf, resourceOf, workloadKinds } from './kinds.ts';
import { leaseName, leasePath, stateOf, type Takeover } from './lease-object.ts';
import { controllerSchema, type Lease, leaseSchema, listSchema, podSchema } from './objects.ts';
import { reaperName } from './reaper-objects.ts';
import { parseRecord } from './record.ts';

export interface EverybodysSession {
  /** `deployment/cart` */
  readonly workload: string;
  /** The name of its Lease; undefined if there is none. */
  readonly lease: string | undefined;
  readonly session: string;
  /** `anna on laptop`; undefined: there is no Lease, so nobody knows. */
  readonly holder: string | undefined;
  /** ISO time; undefined if the marks do not say. */
  readonly since: string | undefined;
  /** ISO time of the last heartbeat, by the API server's clock. */
  readonly lastHeartbeat: string | undefined;
  /** Whether its Lease is still renewed: then it must not be undone. */
  readonly alive: boolean;
  /** Whether the workload carries its marks; undefined if workloads of this kind may not be listed. */
  readonly replaced: boolean | undefined;
  readonly guests: readonly { readonly holder: string; readonly since: string }[];
  /** Who wants the workload in the holder's stead. */
  readonly takeover: Pick<Takeover, 'holder' | 'since'> | undefined;
  /** The Deployment that undoes it when its computer is gone; undefined if there is none, or nobody may see it. */
  readonly reaper: string | undefined;
}

interface EverybodysSessions {
  readonly sessions: readonly EverybodysSession[];
  /** What the user may not list: `leases`, `deployments`, …; sessions may be missing, or some of what is known of them. */
  readonly unlisted: readonly string[];
}

interface Marked {
  readonly workload: string;
  readonly lease: string;
  readonly session: string;
  readonly since: string | undefined;
}

const managedBy = { labelSelector: 'app.kubernetes.io/managed-by=kubernetes-local' };

/** Reads them all, sorted by workload. Problems of the API, but for a right that is missing. */
export async function readEverybodysSessions(cluster: Cluster, signal: AbortSignal): Promise<EverybodysSessions> {
  const { api, namespace } = cluster;
  const unlisted: string[] = [];
  const list = async <T>(what: string, answer: Promise<{ readonly items: readonly T[] }>): Promise<readonly T[]> => {
    const listed = await unless([403], answer);
    if (listed === undefined) unlisted.push(what);
    return listed?.items ?? [];
  };
  const leasesOf = { method: 'GET', path: leasePath(namespace), query: managedBy, signal } as const;
  const [leases, ...marks] = await Promise.all([
    list('leases', api.request(leasesOf, listSchema(leaseSchema))),
    ...workloadKinds.map(async (kind) => {
      const request = { method: 'GET', path: pathOf(kind, namespace), signal } as const;
      const objects =
        kind === 'Pod'
          ? await list(resourceOf(kind), api.request(request, listSchema(podSchema)))
          : await list(resourceOf(kind), api.request(request, listSchema(controllerSchema)));
      const reapers = objects.flatMap(({ metadata }) => metadata.labels[reaperLabel] ?? []);
      return {
        reapers: kind === 'Deployment' ? reapers : [],
        marked: objects.flatMap(({ metadata: { name, annotations } }): Marked[] => {
          const session = annotations[sessionAnnotation];
          const [record] = originalsOf(annotations).flatMap((text) => parseRecord(text) ?? []);
          // Pods of a replaced controller carry the session too, but no record; and a reaper the session, of its own.
          if (session === undefined || (kind === 'Pod' && record === undefined)) return [];
          if (record === undefined && originalsOf(annotations).length === 0) return [];
          const workload = { kind, name, namespace };
          return [{ workload: display(workload), lease: leaseName({ workload }), session, since: record?.plannedAt }];
        }),
      };
    }),
  ]);
  const reapers = new Set(marks.flatMap((each) => each.reapers));
  const marked = new Map(marks.flatMap((each) => each.marked).map((each) => [each.lease, each]));
  const held = leases
    .filter(({ metadata }) => metadata.name.startsWith('kubernetes-local-'))
    .map((lease) => ofLease(cluster, lease, marked.get(lease.metadata.name), { reapers, unlisted }));
  const names = new Set(leases.map(({ metadata }) => metadata.name));
  const without = [...marked.values()].filter(({ lease }) => !names.has(lease)).map(withoutLease);
  const sessions = [...held, ...without].sort((a, b) => (a.workload < b.workload ? -1 : 1));
  return { sessions, unlisted: unlisted.sort() };
}

function ofLease(
  cluster: Cluster,
  lease: Lease,
  mark: Marked | undefined,
  { reapers, unlisted }: { readonly reapers: ReadonlySet<string>; readonly unlisted: readonly string[] },
): EverybodysSession {
  const { session, holder, since, alive, workload: said, guests, takeover } = stateOf(cluster, lease);
  const workload = said ?? mark?.workload ?? workloadOf(lease.metadata.name);
  const [kind = '', name = ''] = workload.split('/');
  const known = workloadKinds.find((each) => each.toLowerCase() === kind);
  const reaper = known === undefined ? undefined : reaperName({ kind: known, name });
  return {
    workload,
    lease: lease.metadata.name,
    session,
    holder,
    since,
    lastHeartbeat: lease.spec.renewTime,
    alive,
    replaced: mark === undefined && unlisted.includes(`${kind}s`) ? undefined : mark !== undefined,
    guests: guests.map(({ holder: guest, since: from }) => ({ holder: guest, since: from })),
    takeover: takeover && { holder: takeover.holder, since: takeover.since },
    reaper: reaper !== undefined && reapers.has(reaper) ? reaper : undefined,
  };
}

function withoutLease({ workload, session, since }: Marked): EverybodysSession {
  const nothing = {
    lease: undefined,
    holder: undefined,
    lastHeartbeat: undefined,
    takeover: undefined,
    reaper: undefined,
  };
  return { workload, session, since, alive: false, replaced: true, guests: [], ...nothing };
}

/** A Lease of an older version says it by its name alone. */
function workloadOf(lease: string): string {
  const [, kind = '', name = ''] = /^kubernetes-local-([a-z]+)-(.+)$/.exec(lease) ?? [];
  return `${kind}/${name}`;
}
