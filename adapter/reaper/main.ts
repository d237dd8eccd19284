/**
 * The entry point of the reaper in its pod; the agent's main.ts starts it for the argument "reaper". Until SIGTERM.
 *
 *   reaper --namespace NAMESPACE --lease NAME --delay SECONDS    the sessions of one workload
 *   reaper --all-namespaces --delay SECONDS                      those of all controllers of the cluster
 */
import { parseArgs } from 'node:util';
import type { Api } from '../cluster/api.ts';
import { readLeaseObject } from '../cluster/lease-object.ts';
import { type Lease, leaseSchema, listSchema } from '../cluster/objects.ts';
import { reaperHealthPort } from '../cluster/reaper-objects.ts';
import { serveHealth } from './health.ts';
import { inClusterApi, inNamespace } from './in-cluster.ts';
import { logToStandardOutput as log } from './log.ts';
import { type Reaping, reap, workloadOf } from './reap.ts';
import { watchLeases } from './reaper.ts';

/** Less would undo sessions whose network is away for a moment. */
const leastDelay = 30;

const labelSelector = 'app.kubernetes.io/managed-by=kubernetes-local';

interface Wanted {
  /** undefined: all of the cluster. */
  readonly one: { readonly namespace: string; readonly name: string } | undefined;
  readonly delay: number;
}

try {
  await run(wantedOf(process.argv.slice(3)));
} catch (error) {
  log.write('error', error instanceof Error ? error.message : String(error));
  process.exit(1);
}

async function run({ one, delay }: Wanted): Promise<never> {
  process.once('SIGTERM', () => process.exit(0));
  process.once('SIGINT', () => process.exit(0));
  const api = inClusterApi(process.env, log);
  const looked = await serveHealth(reaperHealthPort);
  log.write('info', 'watching over', { ...(one ?? { namespace: 'all' }), delay });
  const read = (signal: AbortSignal) => (one === undefined ? all(api, signal) : theOne(api, one, signal));
  const reapIn = (lease: Lease, signal: AbortSignal) => reapAs(api, one !== undefined, lease, signal);
  const options = { read, now: () => api.now(), reap: reapIn, delay, log };
  return await watchLeases(options, looked, new AbortController().signal);
}

function wantedOf(args: string[]): Wanted {
  const { values } = parseArgs({
    args,
    options: {
      namespace: { type: 'string', default: '' },
      lease: { type: 'string', default: '' },
      'all-namespaces': { type: 'boolean', default: false },
      delay: { type: 'string' },
    },
  });
  const { namespace, lease: name, 'all-namespaces': everywhere } = values;
  const delay = Number(values.delay);
  const one = namespace !== '' && name !== '' ? { namespace, name } : undefined;
  if (!Number.isInteger(delay) || delay < leastDelay || everywhere === (one !== undefined)) {
    throw new Error(
      `reaper (--namespace NAMESPACE --lease NAME | --all-namespaces) --delay SECONDS, at least ${leastDelay}`,
    );
  }
  return { one, delay };
}

async function theOne(
  api: Api,
  { namespace, name }: NonNullable<Wanted['one']>,
  signal: AbortSignal,
): Promise<readonly Lease[]> {
  const lease = await readLeaseObject(inNamespace(api, namespace, log), namespace, name, signal);
  return lease === undefined ? [] : [lease];
}

async function all(api: Api, signal: AbortSignal): Promise<readonly Lease[]> {
  const path = '/apis/coordination.k8s.io/v1/leases';
  const list = await api.request({ method: 'GET', path, query: { labelSelector }, signal }, listSchema(leaseSchema));
  return list.items;
}

async function reapAs(api: Api, ofOneWorkload: boolean, lease: Lease, signal: AbortSignal): Promise<Reaping> {
  // Who may write a Lease may not make pods by it: the reaper of all namespaces has no right to make any.
  if (!ofOneWorkload && workloadOf(lease)?.kind === 'Pod') return 'not ours';
  return await reap(inNamespace(api, lease.metadata.namespace, log), lease, signal);
}
