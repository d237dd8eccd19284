/** Tools that put objects back to what a repository says: how they are recognised, and how they are told to wait. */

interface Metadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The tool's name as people say it; undefined if the field manager is none of them. */
export function gitOpsTool(manager: string): 'Argo CD' | 'Flux' | undefined {
  if (/^argocd/.test(manager)) return 'Argo CD';
  return /^(kustomize-controller|helm-controller|flux)/.test(manager) ? 'Flux' : undefined;
}

/**
 * How the tool that keeps this object is paused, with the object's own names in it; undefined if none is known to keep it.
 * Sources: argo-cd.readthedocs.io (resource tracking, automated sync), fluxcd.io (flux suspend).
 */
export function howToPause(manager: string | undefined, { labels, annotations }: Metadata): string | undefined {
  for (const [kind, prefix] of [
    ['kustomization', 'kustomize.toolkit.fluxcd.io'],
    ['helmrelease', 'helm.toolkit.fluxcd.io'],
  ] as const) {
    const name = labels[`${prefix}/name`];
    if (name === undefined) continue;
    const place = labels[`${prefix}/namespace`];
    return `Pause Flux first: flux suspend ${kind} ${name}${place === undefined ? '' : ` -n ${place}`}`;
  }
  const application =
    annotations['argocd.argoproj.io/tracking-id']?.split(':')[0] ?? labels['argocd.argoproj.io/instance'];
  const tool = manager === undefined ? undefined : gitOpsTool(manager);
  if (application !== undefined || tool === 'Argo CD') {
    return `Pause Argo CD first: argocd app set ${application ?? 'APPLICATION'} --sync-policy none`;
  }
  return tool === 'Flux' ? 'Pause Flux first: flux suspend kustomization NAME' : undefined;
}
