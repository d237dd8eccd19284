/** The two that are compared: our session through the public command, and `kubectl port-forward`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { engineFlags } from '../../../agent/engine-flags.ts';
import { product } from '../../stage/product.ts';
import { agentImage, isDaemon, processesOf } from '../../stage/world.ts';
import { lineThat } from '../line-that.ts';
import type { Way } from './client.ts';
import { namespace, type Place, port } from './place.ts';
import { processesBeneath } from './processes.ts';

/** A way from this computer into the cluster. */
export interface Side extends AsyncDisposable {
  readonly outbound: Way;
  /** The processes that exist for this way alone; kubectl has one. */
  readonly processes: readonly number[];
}

/** Ours also leads from the cluster to this computer; its processes are the daemon and the agent. */
export interface OurSide extends Side {
  readonly inbound: Way;
}

const environmentSchema = z.looseObject({ SERVER_SERVICE_HOST: z.string(), SERVER_SERVICE_PORT: z.string() });

/**
 * `kubernetes-local connect` in place of the workload `replaced`. Mode `env` has the same listeners as the others, needs no
 * rights and leaves the hosts file alone.
 */
export async function openOurs(place: Place): Promise<OurSide> {
  const [command = '', ...args] = product();
  const folder = mkdtempSync(join(place.folder, 'session-'));
  const state = join(folder, 'state');
  const variables = join(folder, 'variables.json');
  const target = ['--target', 'deployment/replaced', '--port', `${port}:${place.localPort}`];
  const where = ['-n', namespace, '--kubeconfig', place.cluster.kubeconfig, '--agent-image', agentImage];
  const output = ['--network', 'env', '--env-output', variables, '--format', 'json'];
  const child = spawn(command, [...args, 'connect', ...target, ...where, ...output], {
    env: { ...process.env, KUBERNETES_LOCAL_STATE: state },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await using undo = new AsyncDisposableStack();
  const exited = once(child, 'exit');
  undo.defer(async () => {
    child.kill('SIGINT');
    const [code] = await exited;
    if (code !== 0) throw new Error(`"connect" ended with ${code}`);
  });
  await lineThat(child, (line) => line.startsWith('Ready.'));
  const { SERVER_SERVICE_HOST: host, SERVER_SERVICE_PORT: at } = environmentSchema.parse(
    JSON.parse(readFileSync(variables, 'utf8')),
  );
  const daemon = processesOf(state).find((each) => isDaemon(each.command))?.pid;
  const [agent, ...others] = processesBeneath(place.passage.node, `/bin/node ${engineFlags.join(' ')} /agent/main.js`);
  if (daemon === undefined || agent === undefined || others.length > 0) throw new Error('no daemon, or not one agent');
  const all = undo.move();
  return {
    outbound: place.fromHere(`${host}:${at}`),
    inbound: place.fromPod('replaced'),
    processes: [daemon, agent],
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** `kubectl port-forward` to the server's pod, by the kubectl of the cluster's own version. */
export async function openKubectl(place: Place): Promise<Side> {
  const [command, ...args] = place.cluster.kubectl;
  const forward = ['port-forward', '-n', namespace, 'deployment/server', `:${port}`];
  const child = spawn(command, [...args, ...forward], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const address = await forwardedFrom(child.stdout, child.stderr);
  if (child.pid === undefined) throw new Error('kubectl did not start');
  return {
    outbound: place.fromHere(address),
    processes: [child.pid],
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await exited;
    },
  };
}

/** What comes after it, a line for each connection, is read and dropped. */
async function forwardedFrom(output: Readable, errors: Readable): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const address = /^Forwarding from (127\.0\.0\.1:\d+) /.exec(line)?.[1];
    if (address === undefined) continue;
    output.resume();
    // From now on it complains there of every client that leaves before the end.
    errors.resume();
    return address;
  }
  throw new Error(`kubectl port-forward ended early: ${await text(errors)}`);
}
