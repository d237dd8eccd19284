/** What can be known of an image before a pod wants it: whether its name has a registry, and which nodes have it already. */
import { z } from 'zod';
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { listSchema } from './objects.ts';

const nodeSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ unschedulable: z.boolean().default(false) }).prefault({}),
  status: z
    .looseObject({ images: z.array(z.looseObject({ names: z.array(z.string()).nullish() })).nullish() })
    .prefault({}),
});

/** distribution/reference, without the limits of length. */
const reference =
  /^(?:[\w.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._-]+[a-z0-9]+|\/[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z]\w*:[0-9A-Fa-f]{32,})?$/;

/** The parts of an image's name as container runtimes see them; undefined if it is none. */
export function readImageName(
  image: string,
): { readonly registry: string | undefined; readonly full: string } | undefined {
  if (!reference.test(image)) return undefined;
  const [first = '', ...rest] = image.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const named = hasRegistry ? image : rest.length === 0 ? `docker.io/library/${image}` : `docker.io/${image}`;
  const last = named.slice(named.lastIndexOf('/'));
  return { registry: hasRegistry ? first : undefined, full: /[:@]/.test(last) ? named : `${named}:latest` };
}

/**
 * The nodes that new pods may come to, by whether they tell that they have this image; undefined if the user may not list
 * nodes. A node tells of its 50 largest images only. Problem cluster-unreachable.
 */
export async function nodesWithImage(
  cluster: Cluster,
  image: string,
  signal: AbortSignal,
): Promise<{ readonly have: readonly string[]; readonly others: readonly string[] } | undefined> {
  const request = { method: 'GET', path: '/api/v1/nodes', signal } as const;
  const list = await unless([403, 404], cluster.api.request(request, listSchema(nodeSchema)));
  if (list === undefined) return undefined;
  const wanted = readImageName(image)?.full;
  const has = ({ status }: z.infer<typeof nodeSchema>) =>
    (status.images ?? []).some(({ names }) => (names ?? []).some((name) => readImageName(name)?.full === wanted));
  const nodes = list.items.filter(({ spec }) => !spec.unschedulable);
  const named = (some: typeof nodes) => some.map(({ metadata }) => metadata.name);
  return { have: named(nodes.filter(has)), others: named(nodes.filter((node) => !has(node))) };
}
