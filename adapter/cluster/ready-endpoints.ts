/** How many pods behind each Service would answer now; for the diagnosis. */
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { endpointSlicesPath, endpointsByService } from './endpoints.ts';
import { endpointSliceSchema, listSchema } from './objects.ts';

/**
 * By namespace, then by Service, for those that have endpoints at all; undefined for a namespace whose EndpointSlices the
 * user may not list. Problem cluster-unreachable.
 */
export async function readyEndpoints(
  cluster: Cluster,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ReadonlyMap<string, number> | undefined>> {
  const lists = await Promise.all(
    [...new Set(namespaces)].map(async (namespace) => {
      const request = { method: 'GET', path: endpointSlicesPath(namespace), signal } as const;
      const slices = await unless([403, 404], cluster.api.request(request, listSchema(endpointSliceSchema)));
      const counts =
        slices &&
        [...endpointsByService(slices.items)].map(
          ([name, endpoints]) => [name, endpoints.filter(({ ready }) => ready).length] as const,
        );
      return [namespace, counts && new Map(counts)] as const;
    }),
  );
  return new Map(lists);
}
