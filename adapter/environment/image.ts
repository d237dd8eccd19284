/** What of a container's environment comes neither from the pod's description nor from Services: its image and its runtime. */
import { z } from 'zod';
import type { EnvironmentVariable } from './environment.ts';

/** What was found out, in the form of `ResolvedEnvironment`. */
export interface ImageEnvironment {
  readonly variables: readonly EnvironmentVariable[];
  /** Sentences for the user about what is not known, and why. They hold no values. */
  readonly notes: readonly string[];
}

/**
 * Picks them out of an environment as the kernel writes it (NAME=VALUE, each ended by NUL).
 * @param declared names that the pod's description or Services give
 * @param image the image's name, for the origin
 */
export function imageVariables(environ: Uint8Array, declared: readonly string[], image: string): ImageEnvironment {
  const known = new Set(declared);
  const notes: string[] = [];
  const variables = new Map<string, EnvironmentVariable>();
  for (const entry of entriesOf(environ)) {
    const equals = entry.indexOf(0x3d);
    if (equals <= 0) continue;
    const name = decode(entry.subarray(0, equals));
    if (name !== undefined && known.has(name)) continue;
    const value = decode(entry.subarray(equals + 1));
    if (name === undefined || value === undefined) {
      notes.push(
        `${name ?? 'A variable'} of the image is left out: its ${name ? 'value' : 'name'} is binary, and a variable can only hold text.`,
      );
    } else if (!variables.has(name)) {
      variables.set(name, { name, value, origin: originOf(name, image), secret: false });
    }
  }
  for (const service of staleServices(variables)) {
    notes.push(
      `The variables of Service ${service.toLowerCase().replaceAll('_', '-')} are left out: it is gone since the pod began.`,
    );
    for (const name of variables.keys()) if (isOfService(name, service)) variables.delete(name);
  }
  return { variables: [...variables.values()], notes };
}

/** HOSTNAME as the container runtime sets it, for a V1Pod; undefined where only the node knows it, or for what is no pod. */
export function hostNameVariable(pod: unknown): EnvironmentVariable | undefined {
  const parsed = podSchema.safeParse(pod);
  if (!parsed.success) return undefined;
  const { metadata, spec } = parsed.data;
  // kubelet gives it no name then, and the runtime takes the node's.
  const name = spec.hostNetwork ? spec.nodeName : hostNameOf(metadata, spec);
  return name ? { name: 'HOSTNAME', value: name, origin: podOrigin, secret: false } : undefined;
}

const podOrigin = "the pod's host name";
const optional = z.string().nullish();
const podSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: optional }),
  spec: z.object({
    hostname: optional,
    hostnameOverride: optional,
    subdomain: optional,
    setHostnameAsFQDN: z.boolean().nullish(),
    hostNetwork: z.boolean().nullish(),
    nodeName: optional,
  }),
});

/** kubelet: GeneratePodHostNameAndDomain and truncatePodHostnameIfNeeded. */
function hostNameOf(
  { name, namespace }: z.infer<typeof podSchema>['metadata'],
  { hostname, hostnameOverride, subdomain, setHostnameAsFQDN }: z.infer<typeof podSchema>['spec'],
): string {
  if (hostnameOverride) return hostnameOverride;
  const short = (hostname || name).slice(0, 63).replace(/[-.]+$/, '');
  return setHostnameAsFQDN && subdomain ? `${short}.${subdomain}.${namespace ?? 'default'}.svc.cluster.local` : short;
}

function originOf(name: string, image: string): string {
  if (name === 'HOSTNAME') return podOrigin;
  // Most images leave it to the runtime, which looks into the image's /etc/passwd.
  return name === 'HOME' ? 'the container runtime' : `image ${image}`;
}

/** Services whose variables kubelet had written at the pod's start and that are not declared any more. */
function staleServices(variables: ReadonlyMap<string, EnvironmentVariable>): readonly string[] {
  return [...variables.keys()].flatMap((name) => {
    const service = /^(.+)_SERVICE_HOST$/.exec(name)?.[1];
    if (service === undefined) return [];
    const url = variables.get(`${service}_PORT`)?.value ?? '';
    const isWrittenByKubelet = variables.has(`${service}_SERVICE_PORT`) && /^(tcp|udp|sctp):\/\/.+:\d+$/.test(url);
    return isWrittenByKubelet ? [service] : [];
  });
}

function isOfService(name: string, service: string): boolean {
  const rest = name.startsWith(`${service}_`) ? name.slice(service.length + 1) : '';
  return /^(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/.test(rest);
}

function* entriesOf(environ: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < environ.length; ) {
    const end = environ.indexOf(0, from);
    yield environ.subarray(from, end < 0 ? environ.length : end);
    if (end < 0) return;
    from = end + 1;
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
