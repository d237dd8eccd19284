/** What the agent's container may do: as little as Kubernetes knows a name for, whatever the container before it might. */
import type { Container, PodTemplate } from './objects.ts';
import type { Json } from './record.ts';

/** The user and group of the agent's image (agent/Dockerfile), where root stood before. */
const agentUser = 65_532;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The agent's securityContext, and what the user should know about it. It passes the Pod Security level `restricted`
 * (kubernetes.io/docs/concepts/security/pod-security-standards) if the rest of the pod does. User, group and SELinux label stay
 * as they were, since the files of volumes may depend on them; only root does not.
 */
export function agentSecurity(
  template: PodTemplate,
  container: Container,
): { readonly securityContext: Json; readonly notes: readonly string[] } {
  const own = fieldsOf(container.securityContext);
  const pod = fieldsOf(template.spec.securityContext);
  const wasRoot = (own.runAsUser ?? pod.runAsUser) === 0;
  const group = own.runAsGroup ?? pod.runAsGroup;
  const user = wasRoot
    ? // A user without a group would get that of root.
      { runAsUser: agentUser, runAsGroup: typeof group === 'number' && group !== 0 ? group : agentUser }
    : kept(own, ['runAsUser', 'runAsGroup']);
  const securityContext: Readonly<Record<string, Json>> = {
    ...user,
    ...kept(own, ['seLinuxOptions']),
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const rootNote =
    `Container ${container.name} runs as root, the agent in its place as user ${agentUser}: files of its volumes that ` +
    'only root may read are not to be had here.';
  return { securityContext, notes: wasRoot ? [rootNote] : [] };
}

function kept(own: Fields, names: readonly string[]): Readonly<Record<string, Json>> {
  const present = names.filter((name) => own[name] !== undefined && own[name] !== null);
  return Object.fromEntries(present.map((name) => [name, own[name] as Json]));
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
