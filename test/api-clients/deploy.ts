/** What the API clients read, in a namespace of its own; and what a client in a real pod sees. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kubectl } from '../stage/kubectl.ts';
import type { Shop } from '../stage/shop.ts';
import { type ClientAnswer, readAnswer } from './api-clients.ts';

/** The user that the API server sees, in a pod of either workload. */
export function readerUser(namespace: string): string {
  return `system:serviceaccount:${namespace}:reader`;
}

/** Where the workload `tokens` has its short-lived token, and for whom that is. */
export const shortToken = {
  folder: '/var/run/secrets/tokens',
  file: 'prices',
  audience: 'https://prices.example',
  seconds: 600,
} as const;

/** Makes the namespace and waits until both workloads are ready. The image is loaded already, as for the shop. */
export async function deployReader(kubectl: Kubectl, namespace: string): Promise<Shop> {
  const labels = { 'app.kubernetes.io/managed-by': 'kubernetes-local-stage' };
  const made = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
  await kubectl.run(['apply', '-f', '-'], JSON.stringify(made));
  const manifest = await readFile(join(import.meta.dirname, 'manifest.yaml'), 'utf8');
  await kubectl.run(['apply', '-n', namespace, '-f', '-'], manifest);
  for (const name of ['reader', 'tokens']) {
    await kubectl.run(['rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=120s']);
  }
  const inside = ['exec', '-n', namespace, 'deployment/tokens', '--', 'timeout', '60'];
  return { kubectl, namespace, request: (url) => kubectl.run([...inside, 'wget', '-q', '-O', '-', url]) };
}

/** What the client in Go, a static program, sees in the pod of `reader`. `program` is its path on this computer. */
export async function askInPod(kubectl: Kubectl, namespace: string, program: string): Promise<ClientAnswer> {
  const receive = 'base64 -d >/tmp/client && busybox chmod +x /tmp/client && /tmp/client && rm /tmp/client';
  const exec = ['exec', '-i', '-n', namespace, 'deployment/reader', '--', 'sh', '-c', receive];
  return readAnswer(await kubectl.run(exec, await readFile(program, 'base64')));
}
