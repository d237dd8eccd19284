/** A world of small workloads that answer their own names, for tests that need many sessions, or quick ones. */
import { apply } from '../apps/files/files.ts';
import { awaitDeployment, deploymentOf, namespacesOf } from '../stage/workloads.ts';
import { openWorld, type World } from '../stage/world.ts';

const port = 8080;

/** A Deployment that answers its own name, and its Service at port 80. `container`: more of its container. */
function named(name: string, container: object = {}): readonly object[] {
  const serve = `mkdir -p /tmp/www; echo ${name} > /tmp/www/index.html; exec busybox httpd -f -p ${port} -h /tmp/www`;
  const spec = { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: port }] };
  return [
    deploymentOf({ name, command: ['/bin/sh', '-c', serve], port, container }),
    { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec },
  ];
}

const visitor = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'visitor', labels: { app: 'visitor' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'visitor',
        image: 'kubernetes-local.test/busybox:1',
        imagePullPolicy: 'IfNotPresent',
        command: ['/bin/sleep', '1000000'],
      },
    ],
  },
};

/** The namespace, with a workload of each name, and a pod from which they can be asked. `containers`: more of some of them. */
export function openSmallWorld(
  namespace: string,
  names: readonly string[],
  containers: Readonly<Record<string, object>> = {},
): Promise<World> {
  return openWorld(namespace, async (kubectl) => {
    await apply(kubectl, namespacesOf([namespace]));
    await apply(kubectl, [visitor, ...names.flatMap((name) => named(name, containers[name]))], namespace);
    await Promise.all([
      ...names.map((name) => awaitDeployment(kubectl, name, namespace)),
      kubectl.run(['wait', 'pod/visitor', '-n', namespace, '--for=condition=Ready', '--timeout=120s']),
    ]);
    const ask = ['exec', '-n', namespace, 'visitor', '--', 'timeout', '30', 'wget', '-q', '-O', '-'];
    return { kubectl, namespace, request: (url) => kubectl.run([...ask, url]) };
  });
}
