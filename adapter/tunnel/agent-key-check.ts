/** Whether what answers in a pod shows the key that the pod's agent wrote into its log. */
import { setTimeout as delay } from 'node:timers/promises';

/** What tunnel/ needs from the cluster to know an agent. */
export interface AgentKeys {
  /** The newest public key in the log of the pod's agent, SPKI DER; waits while there is none yet. */
  keyOf(pod: string, signal: AbortSignal): Promise<Buffer>;
}

/**
 * A container that started again has another key, and for a moment the log that the API gives is still that of the one
 * before; on a busy node the moment is long. Milliseconds.
 */
const usualPatience = 10_000;
const rereadPause = 250;

/**
 * Begins to read the pod's key at once, beside whatever the caller does meanwhile. The function it gives tells whether a key
 * is that one; it rejects with what `keyOf` throws. `patience`: milliseconds for which a key that is not is looked for again.
 */
export function agentKeyCheck(
  keys: AgentKeys,
  pod: string,
  signal: AbortSignal,
  patience = usualPatience,
): (key: Buffer) => Promise<boolean> {
  let read = keys.keyOf(pod, signal);
  // Whoever asks is told; nobody may.
  read.catch(() => {});
  return async (key) => {
    if ((await read).equals(key)) return true;
    const end = performance.now() + patience;
    while (performance.now() < end) {
      read = keys.keyOf(pod, signal);
      if ((await read).equals(key)) return true;
      await delay(rereadPause, undefined, { signal });
    }
    return false;
  };
}
