/** Which local port stands for which port of the container. */
import type { ResolvedTarget } from '../../cluster/target.ts';
import { findConflicts } from '../../network/ports/conflict.ts';
import { type AskAboutPort, type PortPolicy, resolveConflict } from '../../network/ports/resolve-conflict.ts';
import { Problem } from '../../problem.ts';
import type { Notice } from '../protocol.ts';

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

/** What the user has to know of the container's UDP ports, in full sentences: only TCP comes to this computer. */
export function udpNotes({ pod, container }: Pick<ResolvedTarget, 'pod' | 'container'>): readonly string[] {
  const declared = pod.spec.containers.find(({ name }) => name === container)?.ports ?? [];
  const udp = declared.flatMap(({ containerPort, protocol }) => (protocol === 'UDP' ? [containerPort] : []));
  if (udp.length === 0) return [];
  const ports = `UDP ${udp.length === 1 ? 'port' : 'ports'} ${udp.join(', ')}`;
  return [`What is sent to ${ports} of container ${container} does not reach your program: only TCP comes here.`];
}

/**
 * The mapping with ports that are free, after conflicts were resolved as the user wants it. Problem port-in-use with the
 * owner of one that stays taken; privileges-needed.
 */
export async function freeLocalPorts(
  ports: ReadonlyMap<number, number>,
  options: {
    readonly policy: PortPolicy;
    readonly ask: AskAboutPort;
    /** Processes that are never ended. */
    readonly protect: readonly number[];
    notice(notice: Notice): void;
    readonly signal: AbortSignal;
  },
): Promise<ReadonlyMap<number, number>> {
  const { policy, ask, protect, notice, signal } = options;
  const free = new Map(ports);
  for (const conflict of await findConflicts(ports, signal)) {
    const avoid = new Set(free.values());
    const resolved = await resolveConflict(conflict, policy, ask, { signal, avoid, protect });
    notice({ level: 'warning', text: resolved.text });
    if (resolved.kind !== 'other-port') continue;
    for (const [containerPort, port] of free) if (port === conflict.port) free.set(containerPort, resolved.port);
  }
  return free;
}
