/** Reads the ConfigMaps, Secrets and the node that a container's environment refers to: each once, all at the same time. */
import type { Container, Pod } from './pod.ts';
import { type Allocatable, resourceValue } from './resources.ts';

/** What the environment needs of the cluster. An object that does not exist is undefined; a missing right is thrown. */
export interface EnvironmentReader {
  /** The `data` of a ConfigMap. */
  configMap(
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>> | undefined>;
  /** The decoded `data` of a Secret. */
  secret(
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, Uint8Array>> | undefined>;
  /** `status.allocatable` of a node; undefined too if the user has no right to read nodes. Without it such limits are left out. */
  nodeAllocatable?(name: string, signal: AbortSignal): Promise<Allocatable | undefined>;
}

/** Everything that was read. A name that is not in a map, or is there with undefined, does not exist. */
export interface Sources {
  readonly configMaps: ReadonlyMap<string, Readonly<Record<string, string>> | undefined>;
  readonly secrets: ReadonlyMap<string, Readonly<Record<string, Uint8Array>> | undefined>;
  readonly allocatable: Allocatable | undefined;
}

/** Reads what `container` refers to. */
export async function readSources(
  pod: Pod,
  container: Container,
  namespace: string,
  reader: EnvironmentReader,
  signal: AbortSignal,
): Promise<Sources> {
  const from = container.env.filter(({ value }) => value === '').map(({ valueFrom }) => valueFrom);
  const configMaps = new Set([
    ...container.envFrom.flatMap(({ configMapRef }) => configMapRef?.name ?? []),
    ...from.flatMap((source) => source?.configMapKeyRef?.name ?? []),
  ]);
  const secrets = new Set([
    ...container.envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []),
    ...from.flatMap((source) => source?.secretKeyRef?.name ?? []),
  ]);
  // Few users may read nodes, so that is asked for only where no limit of the pod's own answers.
  const wantsNode = from.some((source) => {
    const reference = source?.resourceFieldRef;
    return reference && resourceValue(pod, container, reference, undefined) === 'needs-node';
  });
  const [readConfigMaps, readSecrets, allocatable] = await Promise.all([
    readAll(configMaps, (name) => reader.configMap(namespace, name, signal)),
    readAll(secrets, (name) => reader.secret(namespace, name, signal)),
    wantsNode && pod.spec.nodeName !== '' ? reader.nodeAllocatable?.(pod.spec.nodeName, signal) : undefined,
  ]);
  return { configMaps: readConfigMaps, secrets: readSecrets, allocatable };
}

async function readAll<T>(names: ReadonlySet<string>, read: (name: string) => Promise<T>): Promise<Map<string, T>> {
  return new Map(await Promise.all([...names].map(async (name) => [name, await read(name)] as const)));
}
