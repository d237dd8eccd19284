/** Which local port stands for which port of the container. */
import type { ResolvedTarget } from '../cluster/target.ts';
import { assertPortFree } from '../network/ports/ports.ts';
import { Problem } from '../problem.ts';

/** Container port → local port for every port of the target; keys of `wanted` are port numbers or names. Problem port-unknown. */
export function mapPorts(
  target: ResolvedTarget,
  wanted: Readonly<Record<string, number>>,
): ReadonlyMap<number, number> {
  const names = new Map<string, number>();
  for (const service of target.services) for (const port of service.ports) names.set(port.name, port.containerPort);
  const container = target.pod.spec.containers.find(({ name }) => name === target.container);
  for (const port of container?.ports ?? []) if (port.name) names.set(port.name, port.containerPort);
  const ports = new Map<number, number>(target.containerPorts.map((port) => [port, port]));
  for (const [key, localPort] of Object.entries(wanted)) {
    const containerPort = /^\d+$/.test(key) ? Number(key) : names.get(key);
    if (containerPort === undefined) {
      throw new Problem({
        code: 'port-unknown',
        what: `Container ${target.container} has no port named "${key}".`,
        why: `Its named ports are: ${[...names.keys()].filter(Boolean).join(', ') || 'none'}.`,
        remedy: 'Correct the key in "ports", or use the port number.',
      });
    }
    ports.set(containerPort, localPort);
  }
  return ports;
}

/** Problem port-in-use with the owner of the first that is taken. */
export async function assertLocalPortsFree(ports: ReadonlyMap<number, number>): Promise<void> {
  for (const port of ports.values()) await assertPortFree('127.0.0.1', port);
}
