/** Ports for the agent itself that nothing else in the pod uses. */
import { createHash } from 'node:crypto';
import type { ResolvedTarget } from './target.ts';

/** Below the ports for outgoing connections (32768) and for NodePorts (30000), above those of service meshes (15xxx). */
const first = 19_471;
/** On a node's own network several agents meet: each workload starts somewhere else in this range. */
const hostNetworkFirst = 20_000;
const hostNetworkCount = 9000;

/** Two ports that no container of the pod declares and no Service reaches. */
export function freeAgentPorts(target: ResolvedTarget): { readonly tunnelPort: number; readonly healthPort: number } {
  const { spec } = target.pod;
  const declared = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ ports }) => ports ?? []);
  const taken = new Set([...target.containerPorts, ...declared.map(({ containerPort }) => containerPort)]);
  let port = first;
  if (spec.hostNetwork) {
    const digest = createHash('sha256').update(target.workload.uid).digest();
    port = hostNetworkFirst + (digest.readUInt32BE() % hostNetworkCount);
  }
  const next = (): number => {
    while (taken.has(port)) port++;
    return port++;
  };
  return { tunnelPort: next(), healthPort: next() };
}
