/** What a KubernetesLocalProcessConfig.yaml needs of a session, to be asked for before it connects. */
import type { ProcessConfig } from './model.ts';

/** The name under which programs reach the managed identity's endpoint, which the session must make. */
export const managedIdentityHost = 'managedidentityforbridgetokubernetes';
/** Where that name leads to, from inside the pod. */
export const managedIdentityEndpoint = { host: '169.254.169.254', port: 80 } as const;

export interface Demands {
  /** Namespaces of Services that are called with one; the target's own may be among them. */
  readonly namespaces: readonly string[];
  readonly externalEndpoints: readonly { readonly host: string; readonly port: number }[];
  /** Volumes that are spoken of. The name may hold `*`, be a mount path, or be that of an old token volume. */
  readonly volumeMounts: readonly { readonly name: string; readonly localPath?: string }[];
  /** What of the container stays on the agent. */
  readonly keep: { readonly probes: boolean; readonly lifecycle: boolean };
  /** Whether `managedIdentityHost` is to lead to `managedIdentityEndpoint`. */
  readonly managedIdentity: boolean;
}

/** What the session has to be asked for. Each thing once. */
export function demandsOf(config: ProcessConfig): Demands {
  const tokens = config.env.flatMap(({ parts }) => parts);
  const enabled = new Set(config.enableFeatures.map(({ name }) => name));
  const endpoints = tokens.flatMap((token) =>
    token.kind === 'externalendpoints' ? token.ports.map((port) => ({ host: token.host, port })) : [],
  );
  const listed = config.volumeMounts.map(({ name, localPath }) => ({ name, ...(localPath && { localPath }) }));
  const named = tokens.flatMap((token) => (token.kind === 'volumeMounts' ? [{ name: token.name }] : []));
  return {
    namespaces: [...new Set(tokens.flatMap((token) => (token.kind === 'services' ? (token.namespace ?? []) : [])))],
    externalEndpoints: [...new Map(endpoints.map((each) => [`${each.host}:${each.port}`, each])).values()],
    // Of the same name the first counts, as in the evaluation.
    volumeMounts: [...listed, ...named].filter(
      ({ name }, index, all) => all.findIndex((each) => each.name.toLowerCase() === name.toLowerCase()) === index,
    ),
    keep: { probes: enabled.has('Probes'), lifecycle: enabled.has('LifecycleHooks') },
    managedIdentity: enabled.has('ManagedIdentity'),
  };
}
