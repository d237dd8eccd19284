/** A small Deployment with a Service of the same name, of as many replicas and among as many Services as are measured. */
import type { Kubectl } from '../../stage/kubectl.ts';

export const workloadName = 'small';

/** Makes namespace, Deployment and Services; resolves when the Deployment runs. `services`: all of them, the workload's own too. */
export async function deployWorkload(
  kubectl: Kubectl,
  namespace: string,
  { replicas, services }: { readonly replicas: number; readonly services: number },
): Promise<void> {
  const names = Array.from({ length: services - 1 }, (_, index) => `service-${index}`);
  const labels = { app: workloadName };
  const items = [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: workloadName },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [
              {
                name: workloadName,
                image: 'kubernetes-local.test/busybox:1',
                imagePullPolicy: 'IfNotPresent',
                command: ['/bin/sleep', '1000000'],
                ports: [{ containerPort: 8080 }],
              },
            ],
          },
        },
      },
    },
    service(workloadName, labels),
    ...names.map((name) => service(name)),
  ];
  await kubectl.run(['create', 'namespace', namespace]);
  const list = { apiVersion: 'v1', kind: 'List', items };
  await kubectl.run(['apply', '--server-side', '-n', namespace, '-f', '-'], JSON.stringify(list));
  await kubectl.run(['rollout', 'status', `deployment/${workloadName}`, '-n', namespace, '--timeout=180s']);
}

function service(name: string, selector?: Readonly<Record<string, string>>): object {
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports, ...(selector && { selector }) } };
}
