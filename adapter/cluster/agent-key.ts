/**
 * The key by which a pod's agent proves itself. It stands in the agent's log, which comes from the kubelet over the API: only
 * the agent's own container can write into it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { keyAgainAfterLines, keyMessage } from '../../agent/protocol.ts';
import type { AgentKeys } from '../tunnel/agent-key-check.ts';
import { hasStatus } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { pathOf } from './kinds.ts';

/** Lines of other programs, and lines cut by the rotation of the log, are not JSON; they are passed over. */
const lineSchema = z.looseObject({ message: z.literal(keyMessage), publicKey: z.base64() });

/** What the container has just written may not be in the log yet; milliseconds between looks, growing. */
const firstPause = 25;
const longestPause = 400;

/**
 * The keys of the agents that run in `container` of the namespace's pods. `keyOf` looks until the key is there or the signal
 * aborts. Problems as the API gives them: without the right `get pods/log` `credentials-refused` or `right-missing`.
 */
export function agentKeys(cluster: Cluster, container: string): AgentKeys {
  return {
    async keyOf(pod, signal) {
      for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
        const key = await newestKey(cluster, container, pod, signal);
        if (key !== undefined) return key;
        await delay(pause, undefined, { signal });
      }
    },
  };
}

async function newestKey(
  cluster: Cluster,
  container: string,
  pod: string,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const path = `${pathOf('Pod', cluster.namespace, pod)}/log`;
  const query = { container, tailLines: 2 * keyAgainAfterLines };
  let key: Buffer | undefined;
  try {
    for await (const line of cluster.api.lines({ method: 'GET', path, query, signal })) key = keyIn(line) ?? key;
  } catch (error) {
    // The container is only just being started (again).
    if (!hasStatus(error, 400)) throw error;
  }
  return key;
}

function keyIn(line: string): Buffer | undefined {
  try {
    const read = lineSchema.safeParse(JSON.parse(line));
    return read.success ? Buffer.from(read.data.publicKey, 'base64') : undefined;
  } catch {
    return undefined;
  }
}
