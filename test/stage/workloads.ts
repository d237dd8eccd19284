/** Small workloads of the busybox image, for tests whose system is one or two pods. */
import type { Kubectl } from './kubectl.ts';

export interface WorkloadOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly port: number;
  /** More of the pod's spec, and of the container's. */
  readonly pod?: object;
  readonly container?: object;
}

/** A Deployment whose pod is ready when something listens on its port, and that ends at once. */
export function deploymentOf({ name, command, port, pod = {}, container = {} }: WorkloadOptions): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              name,
              image: 'kubernetes-local.test/busybox:1',
              imagePullPolicy: 'IfNotPresent',
              command,
              ports: [{ containerPort: port }],
              readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
              ...container,
            },
          ],
          ...pod,
        },
      },
    },
  };
}

/** Namespaces that whoever cleans up recognises as made by the stage. */
export function namespacesOf(names: readonly string[]): readonly object[] {
  const labels = { 'app.kubernetes.io/managed-by': 'kubernetes-local-stage' };
  return names.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }));
}

/** Resolves when all pods of the Deployment are ready. */
export async function awaitDeployment(kubectl: Kubectl, name: string, namespace: string): Promise<void> {
  await kubectl.run(['rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=120s']);
}
