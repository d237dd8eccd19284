import type { ClusterStatus } from './cluster.ts';

/** The status of a cluster for a person to read. */
export function describeStatus(name: string, status: ClusterStatus): string {
  if (status.state === 'stopped') return `cluster "${name}" is stopped`;
  const { detail } = status;
  const { road } = detail;
  const restored = road.restoredIn > 0 ? `, restored in ${(road.restoredIn / 1000).toFixed(1)} s` : '';
  const lines = [
    `cluster "${name}" is ${status.state}`,
    ...(status.state === 'half-dead' ? status.reasons.map((reason) => `  ${reason}`) : []),
    `node        ${detail.node.nodeReady ? 'Ready' : 'not Ready'}`,
    `Kubernetes  ${detail.version}`,
    `API server  https://127.0.0.1:${detail.port}`,
    `road        ${road.state}${restored}, round-trip time ${road.roundTripTime} ms, ${road.connections} connections`,
    `since       ${detail.since}`,
    `top process ${detail.pid}`,
  ];
  for (const component of detail.node.components) {
    const state = component.state === 'ended' ? `ended ${component.ended}` : component.unwell || component.state;
    lines.push(`  ${component.name.padEnd(24)} ${String(component.outsidePid || '').padEnd(8)} ${state}`);
  }
  return lines.join('\n');
}
