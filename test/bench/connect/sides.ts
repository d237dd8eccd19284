/** Both sides of a connect and disconnect: the product, and kubectl with the bare rollout of the same change. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Kubectl } from '../../stage/kubectl.ts';
import { product } from '../../stage/product.ts';
import { lineThat } from '../line-that.ts';

const agentImage = 'kubernetes-local.test/agent:1';

/** What is replaced: a Deployment, its one container and the Service of the same name. */
export interface Subject {
  readonly kubectl: Kubectl;
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly name: string;
}

/** Seconds. */
export interface Run {
  readonly connect: number;
  readonly disconnect: number;
}

/** One of ours, with the milliseconds of the daemon's own steps of the connect. */
export interface OwnRun extends Run {
  readonly steps: ReadonlyMap<string, number>;
}

/**
 * From the start of the command to "Ready", and from Ctrl-C to its exit, when all is undone. `standing` looks at the session
 * while it stands, which is not counted.
 */
export async function measureOurs(
  { kubeconfig, namespace, name }: Subject,
  standing: () => Promise<void> = async () => {},
): Promise<OwnRun> {
  const [command = '', ...args] = product();
  const state = mkdtempSync(join(tmpdir(), 'kubernetes-local-state-'));
  const place = ['-n', namespace, '--kubeconfig', kubeconfig, '--agent-image', agentImage];
  const started = performance.now();
  const child = spawn(command, [...args, 'connect', '--target', `service/${name}`, ...place], {
    env: { ...process.env, KUBERNETES_LOCAL_STATE: state },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  try {
    await lineThat(child, (line) => line.startsWith('Ready.'));
    const connected = performance.now();
    await standing();
    const steps = stepsIn(state);
    const left = performance.now();
    child.kill('SIGINT');
    const [code] = await exited;
    if (code !== 0) throw new Error(`"connect" ended with ${code}`);
    return { connect: (connected - started) / 1000, disconnect: (performance.now() - left) / 1000, steps };
  } finally {
    child.kill('SIGKILL');
    rmSync(state, { recursive: true, force: true });
  }
}

const timedSchema = z.object({
  message: z.literal('the time of the connect'),
  steps: z.array(z.object({ name: z.string(), duration: z.number() })),
});

/** What `--timings` shows, from the daemon's log. */
function stepsIn(state: string): ReadonlyMap<string, number> {
  const [timed] = readdirSync(state, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.log'))
    .flatMap((file) => readFileSync(join(state, file), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .flatMap((line) => timedSchema.safeParse(JSON.parse(line)).data ?? []);
  if (timed === undefined) throw new Error('the log of the daemon does not say how long it took');
  return new Map(timed.steps.map(({ name, duration }) => [name, duration]));
}

/**
 * The same image with the same resources and probes in the same Deployment, but a server that is ready at once. What is done while the
 * change stands is not counted.
 */
export async function measureKubectl(
  { kubectl, namespace, name }: Subject,
  standing: () => Promise<void> = async () => {},
): Promise<Run> {
  const deployment = [`deployment/${name}`, '-n', namespace];
  const started = performance.now();
  await kubectl.run(['patch', ...deployment, '--type=strategic', '-p', JSON.stringify(bareChange(name))]);
  await kubectl.run(['rollout', 'status', ...deployment, '--timeout=180s']);
  const changed = performance.now();
  const replaced = await podNames(kubectl, namespace, name);
  await standing();
  const left = performance.now();
  await kubectl.run(['rollout', 'undo', ...deployment]);
  await kubectl.run(['rollout', 'status', ...deployment, '--timeout=180s']);
  // Both sides end when no pod of the change is left, which "rollout status" alone does not wait for.
  await kubectl.run(['wait', '--for=delete', ...replaced, '-n', namespace, '--timeout=180s']);
  return { connect: (changed - started) / 1000, disconnect: (performance.now() - left) / 1000 };
}

async function podNames(kubectl: Kubectl, namespace: string, app: string): Promise<readonly string[]> {
  const text = await kubectl.run(['get', 'pods', '-n', namespace, '-l', `app=${app}`, '-o', 'name']);
  return text.split('\n').filter(Boolean);
}

/** What the product changes in the pod template, without the product. */
function bareChange(container: string) {
  return {
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: container,
              image: agentImage,
              command: [
                '/bin/node',
                '-e',
                "process.on('SIGTERM', () => process.exit()); require('node:http').createServer((_, r) => r.end()).listen(57011)",
              ],
              readinessProbe: { httpGet: { path: '/ready', port: 57011 }, periodSeconds: 1 },
              livenessProbe: { httpGet: { path: '/live', port: 57011 } },
              resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '192Mi' } },
            },
          ],
        },
      },
    },
  };
}
