/** Whether a namespace, and with it all that a session has changed in it, is on its way out. */
import { z } from 'zod';
import { ApiError, hasStatus, unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';

const namespaceSchema = z.looseObject({
  metadata: z.looseObject({ deletionTimestamp: z.string().optional() }),
  status: z.looseObject({ phase: z.string().default('') }).prefault({}),
});

/** `unknown`: the user may not read namespaces. */
export type NamespaceState = 'there' | 'ending' | 'gone' | 'unknown';

/** Asks the cluster; users with rights in one namespace only are often not told. */
export async function namespaceState(
  cluster: Cluster,
  namespace: string,
  signal: AbortSignal,
): Promise<NamespaceState> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  try {
    const read = await unless([404], cluster.api.request({ method: 'GET', path, signal }, namespaceSchema));
    if (read === undefined) return 'gone';
    const isEnding = read.metadata.deletionTimestamp !== undefined || read.status.phase === 'Terminating';
    return isEnding ? 'ending' : 'there';
  } catch (error) {
    if (hasStatus(error, 401, 403)) return 'unknown';
    throw error;
  }
}

/** Whether the API server refused to make an object because its namespace is ending or gone. Source: its NamespaceLifecycle admission. */
export function isRefusedByEnd(error: unknown): error is ApiError {
  if (!(error instanceof ApiError)) return false;
  if (error.status === 404) return /^namespaces? .* not found/.test(error.why);
  return error.status === 403 && saysNamespaceEnds(error.why);
}

/** Whether a message, such as a controller's condition or event, says so. */
export function saysNamespaceEnds(message: string): boolean {
  return /because it is being terminated/.test(message);
}
