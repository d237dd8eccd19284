/**
 * Works out the files of a volume from what was read of the cluster, as kubelet's volume plugins do (configmap, secret,
 * downwardapi, projected). Pure: reading and writing are elsewhere.
 */
import { fieldValue } from '../fields.ts';
import {
  type DownwardItem,
  findContainer,
  type KeyToPath,
  type Pod,
  type ProjectedSource,
  type Volume,
} from '../pod.ts';
import { type Allocatable, resourceValue } from '../resources.ts';
import { formatMap } from './formatted-map.ts';
import { defaultModeOf, modesOf } from './modes.ts';
import { cleanPath, type Payload, pathFault, type VolumeFile } from './payload.ts';
import type { ObjectData, ObjectReference } from './volume-reader.ts';

/** One token that a volume holds, as its source describes it. */
export interface WantedToken {
  readonly audience: string;
  readonly expirationSeconds: number | undefined;
}

/** What a volume is made from. */
export interface VolumeSources {
  readonly pod: Pod;
  /** What was read of an object; `why`: a sentence that says why there is nothing, and `denied` if a right is missing. */
  object(reference: ObjectReference): ObjectData | { readonly why: string; readonly denied?: boolean };
  token(wanted: WantedToken): Uint8Array | { readonly why: string };
  readonly allocatable: Allocatable | undefined;
}

export interface Projection {
  readonly files: Payload;
  /** What is missing that kubelet would not start the container without; a sentence each. */
  readonly missing: readonly string[];
  /** What kubelet has and we do not; a sentence each. */
  readonly notes: readonly string[];
}

/** The objects that the volume is made from, each once. */
export function objectsOf(volume: Volume): readonly ObjectReference[] {
  const { configMap, secret, projected } = volume;
  const all: ObjectReference[] = [];
  if (configMap) all.push({ kind: 'ConfigMap', name: configMap.name });
  if (secret) all.push({ kind: 'Secret', name: secret.secretName });
  for (const source of projected?.sources ?? []) {
    if (source.configMap) all.push({ kind: 'ConfigMap', name: source.configMap.name });
    if (source.secret) all.push({ kind: 'Secret', name: source.secret.name });
  }
  return [...new Map(all.map((reference) => [`${reference.kind} ${reference.name}`, reference])).values()];
}

/** The tokens that the volume holds. */
export function tokensOf(volume: Volume): readonly WantedToken[] {
  return (volume.projected?.sources ?? []).flatMap(({ serviceAccountToken: token }) =>
    token ? [{ audience: token.audience, expirationSeconds: token.expirationSeconds ?? undefined }] : [],
  );
}

/** Whether a limit in the volume is the node's own amount, because the container sets none. */
export function needsNode(pod: Pod, volume: Volume): boolean {
  const items = [
    ...(volume.downwardAPI?.items ?? []),
    ...(volume.projected?.sources ?? []).flatMap(({ downwardAPI }) => downwardAPI?.items ?? []),
  ];
  return items.some((item) => resourceOf(pod, item, undefined) === 'needs-node');
}

/** Whether the volume shows something of the pod that changes while it runs: labels and annotations. */
export function showsPod(volume: Volume): boolean {
  return Boolean(volume.downwardAPI) || (volume.projected?.sources ?? []).some(({ downwardAPI }) => downwardAPI);
}

/** The files of the volume. */
export function projectVolume(volume: Volume, sources: VolumeSources): Projection {
  const scope = new Scope(volume, sources);
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) {
    const mode = defaultModeOf(configMap.defaultMode);
    scope.addObject({ kind: 'ConfigMap', name: configMap.name }, configMap.items, configMap.optional, mode);
  }
  if (secret) {
    const mode = defaultModeOf(secret.defaultMode);
    scope.addObject({ kind: 'Secret', name: secret.secretName }, secret.items, secret.optional, mode);
  }
  if (downwardAPI) scope.addFields(downwardAPI.items, defaultModeOf(downwardAPI.defaultMode));
  // Later sources win where paths are the same.
  for (const source of projected?.sources ?? []) scope.addSource(source, defaultModeOf(projected?.defaultMode));
  return scope;
}

class Scope implements Projection {
  readonly files = new Map<string, VolumeFile>();
  readonly missing: string[] = [];
  readonly notes: string[] = [];
  readonly #volume: Volume;
  readonly #sources: VolumeSources;

  constructor(volume: Volume, sources: VolumeSources) {
    this.#volume = volume;
    this.#sources = sources;
  }

  addSource(source: ProjectedSource, mode: number): void {
    const { configMap, secret, downwardAPI, serviceAccountToken } = source;
    if (configMap) {
      this.addObject({ kind: 'ConfigMap', name: configMap.name }, configMap.items, configMap.optional, mode);
    } else if (secret) {
      this.addObject({ kind: 'Secret', name: secret.name }, secret.items, secret.optional, mode);
    } else if (downwardAPI) {
      this.addFields(downwardAPI.items, mode);
    } else if (serviceAccountToken) {
      const { audience, expirationSeconds, path } = serviceAccountToken;
      const token = this.#sources.token({ audience, expirationSeconds: expirationSeconds ?? undefined });
      if ('why' in token) this.#miss(`needs the token ${path}: ${token.why}`);
      else this.#put(path, token, modesOf(this.#sources.pod, this.#volume).token(mode), `the token ${path}`);
    } else {
      const kind = Object.keys(source).find((key) => source[key] != null) ?? 'a source without a kind';
      const { path } = Object(source[kind]);
      const what = typeof path === 'string' ? `${path} (${kind})` : kind;
      this.notes.push(`Volume ${this.#volume.name} lacks ${what}: only the node can make that.`);
    }
  }

  addObject(reference: ObjectReference, items: readonly KeyToPath[], optional: boolean, defaultMode: number): void {
    const object = `${reference.kind} ${reference.name}`;
    const data = this.#sources.object(reference);
    if ('why' in data) {
      // What may not be read may exist: only what does not exist is optional.
      if (optional && data.denied !== true) return;
      if (optional) this.notes.push(`Volume ${this.#volume.name} lacks the optional ${object}: ${data.why}`);
      else this.#miss(`is made from ${object}: ${data.why}`);
      return;
    }
    if (items.length === 0) {
      for (const [key, content] of data) this.#put(key, content, defaultMode, `key ${key} of ${object}`);
      return;
    }
    for (const { key, path, mode } of items) {
      const content = data.get(key);
      if (content !== undefined) this.#put(path, content, mode ?? defaultMode, `key ${key} of ${object}`);
      else if (!optional) this.#miss(`holds key ${key} of ${object}, which has no such key.`);
    }
  }

  addFields(items: readonly DownwardItem[], defaultMode: number): void {
    for (const item of items) {
      const text = this.#textOf(item);
      if (text !== undefined)
        this.#put(item.path, Buffer.from(text), item.mode ?? defaultMode, `the file ${item.path}`);
    }
  }

  #textOf(item: DownwardItem): string | undefined {
    const { pod, allocatable } = this.#sources;
    if (item.resourceFieldRef) {
      const value = resourceOf(pod, item, allocatable);
      const { containerName, resource } = item.resourceFieldRef;
      const what = `${item.path}: ${resource} of container ${containerName}`;
      if (value === 'needs-node') {
        this.notes.push(
          `Volume ${this.#volume.name} lacks ${what} is not set, and what the node ${pod.spec.nodeName} offers instead cannot be read.`,
        );
        return undefined;
      }
      if (value !== 'unknown') return value.value;
      this.#miss(`holds ${what}, which kubernetes-local does not know.`);
      return undefined;
    }
    const path = item.fieldRef?.fieldPath ?? '';
    if (path === 'metadata.labels') return formatMap(pod.metadata.labels);
    if (path === 'metadata.annotations') return formatMap(pod.metadata.annotations);
    const value = fieldValue(pod, path);
    if (value === undefined) this.#miss(`holds the pod's field ${path}, which kubernetes-local does not know.`);
    return value;
  }

  #put(path: string, data: Uint8Array, mode: number, what: string): void {
    const fault = pathFault(path);
    if (fault !== undefined) this.#miss(`cannot hold ${what} at "${path}": ${fault}.`);
    else this.files.set(cleanPath(path), { data, mode });
  }

  #miss(text: string): void {
    this.missing.push(`Volume ${this.#volume.name} ${text}`);
  }
}

/** In a volume, kubelet takes the node's amounts for missing limits of any container. */
function resourceOf(pod: Pod, { resourceFieldRef }: DownwardItem, allocatable: Allocatable | undefined) {
  if (!resourceFieldRef) return 'unknown';
  const container = findContainer(pod, resourceFieldRef.containerName);
  if (container === undefined) return 'unknown';
  return resourceValue(pod, container, { ...resourceFieldRef, containerName: '' }, allocatable);
}
