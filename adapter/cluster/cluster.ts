/**
 * adapter/cluster: everything that speaks Kubernetes. Kubeconfig, target, rights, lease, replacement and its undo,
 * port-forward. The only folder that imports @kubernetes/client-node.
 *
 * This file opens a cluster: chooses the context and proves within seconds that it answers and knows the user.
 */
import { z } from 'zod';
import type { Log } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import { Api } from './api.ts';
import { unless } from './api-error.ts';
import { chooseContext } from './kubeconfig.ts';
import { suggest } from './nearest.ts';
import { listSchema, ownedSchema } from './objects.ts';

export interface ClusterOptions {
  /** Path list; default KUBECONFIG, then ~/.kube/config. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly log: Log;
  /** Milliseconds within which the API server must answer first. Default 5000. */
  readonly timeout?: number;
}

export interface Cluster {
  readonly context: string;
  /** URL of the API server. */
  readonly server: string;
  /** The session's namespace. */
  readonly namespace: string;
  /** How the cluster calls the user; the kubeconfig's name for them if it does not tell. */
  readonly user: string;
  /** Such as v1.35.4. */
  readonly version: string;
  readonly log: Log;
  /** For this folder only. */
  readonly api: Api;
}

const firstAnswerTimeout = 5000;

const versionSchema = z.looseObject({ gitVersion: z.string() });
const reviewSchema = z.looseObject({
  status: z.looseObject({ userInfo: z.looseObject({ username: z.string().default('') }) }),
});

/**
 * Problems kubeconfig-missing, kubeconfig-invalid, context-unknown, cluster-unreachable, credentials-refused,
 * namespace-unknown.
 */
export async function openCluster(options: ClusterOptions, signal: AbortSignal): Promise<Cluster> {
  const chosen = chooseContext(options);
  const namespace = options.namespace ?? chosen.namespace;
  const api = new Api(chosen.server, chosen.credentials, options.log);
  const timeout = options.timeout ?? firstAnswerTimeout;
  // Plugins may open a browser: that time is the user's, not the network's.
  await api.connectionOptions();
  const [version, user] = await Promise.all([
    // RBAC may close /version to users; that says nothing about the rest.
    unless([403, 404], api.request({ method: 'GET', path: '/version', signal, timeout }, versionSchema)),
    whoAmI(api, signal, timeout),
    assertNamespace(api, namespace, signal, timeout),
  ]);
  return {
    context: chosen.context,
    server: chosen.server,
    namespace,
    user: user || chosen.user,
    version: version?.gitVersion ?? 'unknown',
    log: options.log,
    api,
  };
}

/** The user name by SelfSubjectReview (Kubernetes ≥ 1.28); empty if the cluster does not tell. */
async function whoAmI(api: Api, signal: AbortSignal, timeout: number): Promise<string> {
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const request = api.request({ method: 'POST', path, body, signal, timeout }, reviewSchema);
  return (await unless([403, 404], request))?.status.userInfo.username ?? '';
}

async function assertNamespace(api: Api, namespace: string, signal: AbortSignal, timeout: number): Promise<void> {
  const one = { method: 'GET', path: `/api/v1/namespaces/${encodeURIComponent(namespace)}`, signal, timeout } as const;
  try {
    // Users with rights in one namespace only may not read the namespace itself.
    await unless([403], api.request(one, ownedSchema));
  } catch (error) {
    if (!(error instanceof Problem) || !('status' in error) || error.status !== 404) throw error;
    const all = api.request({ method: 'GET', path: '/api/v1/namespaces', signal, timeout }, listSchema(ownedSchema));
    const names = (await unless([403], all))?.items.map(({ metadata }) => metadata.name) ?? [];
    throw new Problem(
      {
        code: 'namespace-unknown',
        what: `There is no namespace "${namespace}".`,
        why: error.why,
        remedy: suggest(namespace, names, 'namespaces') || 'Check "namespace" and the context.',
      },
      { cause: error },
    );
  }
}
