/** Where the self-test dials for a target, and what its results mean to the user. */
import type { ResolvedTarget } from '../../cluster/target.ts';
import type { Notice } from '../protocol.ts';
import type { SelfTestResult, SelfTestRoute } from './self-test.ts';

/** One route for each port of each Service that leads to the target. */
export function selfTestRoutes(target: ResolvedTarget): readonly SelfTestRoute[] {
  return target.services.flatMap((service) =>
    service.ports.map((port) => ({
      label: `${service.name}:${port.port}`,
      host: service.clusterIP ?? `${service.name}.${target.workload.namespace}.svc`,
      port: port.port,
    })),
  );
}

/** The result in the user's words. */
export function selfTestNotice(result: SelfTestResult): Notice {
  if (result.kind === 'arrived') {
    const milliseconds = Math.round(result.milliseconds);
    return {
      level: 'info',
      text: `A request to Service ${result.route.label} reached this computer (${milliseconds} ms).`,
    };
  }
  return {
    level: 'warning',
    text: `A request to Service ${result.route.label} made inside the cluster did not reach this computer: ${result.reason}. Look for a NetworkPolicy, a service mesh or a Service selector that also matches other pods.`,
  };
}
