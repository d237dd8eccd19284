/** What the variables of a KubernetesLocalProcessConfig.yaml become in a session: addresses and paths that work for the program. */
import { basename } from 'node:path';
import type { EnvironmentVariable } from '../environment.ts';
import { managedIdentityHost } from './demands.ts';
import type { ConfiguredVariable, Position, ProcessConfig } from './model.ts';
import type { ExternalEndpointToken, ServiceToken, VolumeToken } from './tokens.ts';
import { matchesWildcard } from './wildcard.ts';

/** What a session offers, as its `Connection` tells it. */
export interface EvaluationContext {
  readonly mode: 'hosts' | 'namespace' | 'env';
  readonly services: readonly ReachableName[];
  readonly mounts: readonly {
    readonly volume: string;
    readonly mountPath: string;
    /** Undefined: left out, and `note` says why. */
    readonly localPath?: string | undefined;
    /** A link of the user's choice that leads there. */
    readonly link?: string | undefined;
    readonly note?: string | undefined;
  }[];
  readonly externalEndpoints: readonly { readonly host: string; readonly port: number }[];
}

interface ReachableName {
  readonly name: string;
  readonly names: readonly string[];
  readonly address: string;
  readonly ports: readonly { readonly port: number; readonly localPort: number }[];
}

export interface Evaluation {
  /** Each name once; of several entries the last one counts. What has a problem is not among them. */
  readonly variables: readonly EnvironmentVariable[];
  /** Sentences with file, line and column. */
  readonly problems: readonly string[];
  /** The same for each entry of `env`, in its order. */
  readonly entries: readonly {
    readonly variable: ConfiguredVariable;
    readonly value?: string;
    readonly problem?: string;
  }[];
}

/** Where kubelet puts the token of the service account, whatever the name of its volume. */
const serviceAccountPath = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The variables of the file in this session. Never throws: what cannot be had is a problem, and the rest goes on. */
export function evaluateProcessConfig(config: ProcessConfig, context: EvaluationContext): Evaluation {
  const file = basename(config.file);
  const told = ({ line, column }: Position, text: string) => `${file}:${line}:${column}: ${text}`;
  const entries = config.env.map((variable) => {
    const result = evaluateVariable(variable, config, context);
    return 'value' in result
      ? { variable, value: result.value }
      : { variable, problem: told(result.at, `${variable.name} cannot be worked out. ${result.why}`) };
  });
  const values = new Map<string, EnvironmentVariable>();
  for (const { variable, value } of entries) {
    // A later entry counts, so its problem must not let an earlier one through.
    values.delete(variable.name);
    if (value === undefined) continue;
    const origin = `${file}, line ${variable.line}`;
    values.set(variable.name, { name: variable.name, value, origin, secret: false });
  }
  const problems = entries.flatMap(({ problem }) => problem ?? []);
  const identity = config.enableFeatures.find(({ name }) => name === 'ManagedIdentity');
  if (identity !== undefined) {
    const host = managedIdentityAddress(context);
    if (host === undefined) {
      problems.push(told(identity, `ManagedIdentity: the session has no way to ${managedIdentityHost}.`));
    } else {
      const origin = `${file}, line ${identity.line}, ManagedIdentity`;
      const set = (name: string, value: string) => values.set(name, { name, value, origin, secret: false });
      set('MSI_ENDPOINT', `http://${host}/metadata/identity/oauth2/token`);
      set('MSI_SECRET', 'placeholder');
    }
  }
  return { variables: [...values.values()], problems, entries };
}

type Result = { readonly value: string } | { readonly at: Position; readonly why: string };

function evaluateVariable(variable: ConfiguredVariable, config: ProcessConfig, context: EvaluationContext): Result {
  let value = '';
  /** Characters of the next text that a token has already said in its own way. */
  let swallowed = 0;
  for (const [index, part] of variable.parts.entries()) {
    if (part.kind === 'text') {
      value += part.text.slice(swallowed);
      swallowed = 0;
      continue;
    }
    const next = variable.parts[index + 1];
    const following = next?.kind === 'text' ? next.text : '';
    const result = replace(part, { before: value, following, isAlone: variable.parts.length === 1 }, config, context);
    if ('why' in result) return { at: part, why: result.why };
    value += result.value;
    swallowed = result.swallows ?? 0;
  }
  return { value };
}

type Replacement = { readonly value: string; readonly swallows?: number } | { readonly why: string };

interface Surroundings {
  readonly before: string;
  readonly following: string;
  readonly isAlone: boolean;
}

function replace(
  token: ServiceToken | VolumeToken | ExternalEndpointToken,
  around: Surroundings,
  config: ProcessConfig,
  context: EvaluationContext,
): Replacement {
  switch (token.kind) {
    case 'services':
      return replaceService(token, around, context);
    case 'volumeMounts':
      return replaceVolume(token, config, context);
    case 'externalendpoints':
      return replaceEndpoint(token, around, context);
  }
}

function replaceService(token: ServiceToken, around: Surroundings, context: EvaluationContext): Replacement {
  const called = token.namespace === undefined ? token.name : `${token.name}.${token.namespace}`;
  const service = findName(context.services, called);
  if (service === undefined) return { why: `The session reaches no Service ${called}${suggestion(context, token)}.` };
  const written = /^:(\d+)/.exec(around.following);
  const missing = [...token.ports, ...(written ? [Number(written[1])] : [])].find(
    (port) => !service.ports.some((each) => each.port === port),
  );
  if (missing !== undefined) {
    const known = service.ports.map(({ port }) => port).join(', ');
    return { why: `Service ${called} has no port ${missing}; it has ${known || 'none'}.` };
  }
  return addressed(service.address, service, meantPort(service, token.ports, written, around), written, context);
}

/** The port that the text means: the one after the token, of the token, of the URL; none if it is a host and no more. */
function meantPort(
  service: ReachableName,
  ports: readonly number[],
  written: RegExpExecArray | null,
  { before, following, isAlone }: Surroundings,
): number | undefined {
  if (written) return Number(written[1]);
  if (ports[0] !== undefined) return ports[0];
  const isUrl = /:\/\/([^/]*@)?$/.test(before) || following.startsWith('/');
  if (isAlone || !isUrl) return undefined;
  const usual = /\b(https|wss):\/\//.test(before) ? 443 : 80;
  return service.ports.find(({ port }) => port === usual)?.port ?? service.ports[0]?.port;
}

/** The host alone, as the ancestor has it, where the port is the same as in the cluster; else with the port that it has here. */
function addressed(
  host: string,
  name: ReachableName,
  port: number | undefined,
  written: RegExpExecArray | null,
  { mode }: EvaluationContext,
): Replacement {
  const local = name.ports.find((each) => each.port === port);
  if (local === undefined || (mode !== 'env' && local.port === local.localPort)) return { value: host };
  return { value: `${host}:${local.localPort}`, swallows: written?.[0].length ?? 0 };
}

function replaceEndpoint(token: ExternalEndpointToken, around: Surroundings, context: EvaluationContext): Replacement {
  const [first] = token.ports;
  const asked = token.ports.find((port) => !offers(context, token.host, port));
  if (asked !== undefined || first === undefined) {
    return { why: `The session has no way to ${token.host}:${asked}.` };
  }
  if (context.mode !== 'env') return { value: token.host };
  const written = /^:(\d+)/.exec(around.following);
  const port = written ? Number(written[1]) : first;
  const name = findName(
    context.services.filter(({ ports }) => ports.some((each) => each.port === port)),
    token.host,
  );
  if (name === undefined) return { why: `The session has no local port for ${token.host}:${port}.` };
  return addressed(name.address, name, port, written, context);
}

function offers({ externalEndpoints }: EvaluationContext, host: string, port: number): boolean {
  return externalEndpoints.some((each) => each.host.toLowerCase() === host && each.port === port);
}

function replaceVolume(token: VolumeToken, config: ProcessConfig, { mode, mounts }: EvaluationContext): Replacement {
  const mount = findMount(token.name, mounts);
  if (mount === undefined) {
    const known = [...new Set(mounts.map(({ volume }) => volume))].join(', ');
    return { why: `The container mounts no volume ${token.name}; it mounts ${known || 'none'}.` };
  }
  if (mount.localPath === undefined) {
    return { why: `Volume ${mount.volume} is left out. ${mount.note ?? ''}`.trimEnd() };
  }
  const configured =
    config.volumeMounts.find(({ name }) => name.toLowerCase() === token.name.toLowerCase()) ??
    config.volumeMounts.find(({ name }) => findMount(name, [mount]) !== undefined);
  // Where the link could not be made, the user was told, and the files are elsewhere.
  if (configured?.localPath !== undefined && mount.link === configured.localPath) return { value: mount.link };
  return { value: mode === 'namespace' ? mount.mountPath : mount.localPath };
}

/** The first mount of a volume with this name; a name that begins with `/` is a mount path. */
export function findMount<T extends { readonly volume: string; readonly mountPath: string }>(
  name: string,
  mounts: readonly T[],
): T | undefined {
  if (name.startsWith('/')) return mounts.find(({ mountPath }) => matchesWildcard(name, mountPath, false));
  const found = mounts.find(({ volume }) => matchesWildcard(name, volume, true));
  // Clusters since Kubernetes 1.21 have no default-token-xxxxx, which the ancestor's documentation teaches.
  const isOldToken = name.toLowerCase().startsWith('default-token');
  return found ?? (isOldToken ? mounts.find(({ mountPath }) => mountPath === serviceAccountPath) : undefined);
}

function findName(services: readonly ReachableName[], called: string): ReachableName | undefined {
  return services.find(({ name }) => name === called) ?? services.find(({ names }) => names.includes(called));
}

function suggestion({ services }: EvaluationContext, { name, namespace }: ServiceToken): string {
  const elsewhere = services.find((each) => each.names.some((known) => known.split('.')[0] === name));
  if (elsewhere !== undefined) return `, but ${elsewhere.name}`;
  return namespace === undefined ? '' : ', or not that namespace';
}

/** The ancestor's host name, or where it is here if names do not work. */
function managedIdentityAddress({ services, mode }: EvaluationContext): string | undefined {
  const name = findName(services, managedIdentityHost);
  if (name === undefined) return undefined;
  const localPort = name.ports[0]?.localPort;
  if (mode === 'env') return `${name.address}:${localPort}`;
  return localPort === undefined || localPort === name.ports[0]?.port
    ? managedIdentityHost
    : `${managedIdentityHost}:${localPort}`;
}
