/** Decides which of the container's mounts are made here from the API, and which can only be had from the pod. */
import { posix } from 'node:path';
import { Problem } from '../../problem.ts';
import { expand } from '../expansion.ts';
import { findContainer, type Pod, parsePod, type Volume, type VolumeMount } from '../pod.ts';

/** Where a volume shows in the container. */
export interface PlannedMount {
  readonly volume: string;
  /** Absolute and without a slash at its end. */
  readonly mountPath: string;
  /** Expanded; empty: the whole volume. */
  readonly subPath: string;
  readonly readOnly: boolean;
  /** Why this mount cannot be made, as a sentence: its `subPathExpr` names a variable that there is not. */
  readonly fault?: string;
}

export type VolumeKind =
  | 'configMap'
  | 'secret'
  | 'projected'
  | 'downwardAPI'
  | 'emptyDir'
  | 'persistentVolumeClaim'
  | 'hostPath'
  | 'other';

export interface PlannedVolume {
  readonly name: string;
  readonly kind: VolumeKind;
  /** api: made here from the API; agent: copied through the agent. */
  readonly from: 'api' | 'agent';
  readonly mounts: readonly PlannedMount[];
}

const apiKinds = ['configMap', 'secret', 'projected', 'downwardAPI'] as const;
const agentKinds = ['emptyDir', 'persistentVolumeClaim', 'hostPath'] as const;

/**
 * The volumes that the container mounts, in the order of the pod's description. `variables` are the container's, for
 * `subPathExpr`. @throws Problem environment-unresolved if the pod is none, container-unknown if it has no such container.
 */
export function planVolumes(
  pod: unknown,
  container: string,
  variables: Readonly<Record<string, string>>,
): readonly PlannedVolume[] {
  const parsed = parsePod(pod);
  const found = findContainer(parsed, container);
  if (found === undefined) {
    throw new Problem({
      code: 'container-unknown',
      what: `The pod ${parsed.metadata.name} has no container "${container}".`,
      why: `It has: ${parsed.spec.containers.map(({ name }) => name).join(', ')}.`,
      remedy: 'Name one of them as the container.',
    });
  }
  const mounted = found.volumeMounts.map((mount) => ({ mount, volume: volumeOf(parsed, mount.name) }));
  return parsed.spec.volumes.flatMap((volume) => {
    const mounts = mounted.filter((each) => each.volume === volume).map((each) => each.mount);
    if (mounts.length === 0) return [];
    const kind = kindOf(volume);
    const from = isFromApi(kind) ? 'api' : 'agent';
    return [{ name: volume.name, kind, from, mounts: mounts.map((mount) => planMount(mount, volume, variables)) }];
  });
}

/** The prefix of the volume that Kubernetes itself adds to nearly each pod: token, certificate, namespace. */
export const automaticVolume = /^kube-api-access-/;

/**
 * The volume of that name. The automatic one has another name in each pod, so that a container's description from one
 * pod does not fit the volumes of another.
 */
export function volumeOf(pod: Pod, name: string): Volume | undefined {
  const exact = pod.spec.volumes.find((volume) => volume.name === name);
  if (exact !== undefined || !automaticVolume.test(name)) return exact;
  return pod.spec.volumes.find((volume) => automaticVolume.test(volume.name));
}

function kindOf(volume: Volume): VolumeKind {
  return [...apiKinds, ...agentKinds].find((kind) => volume[kind] != null) ?? 'other';
}

function isFromApi(kind: VolumeKind): boolean {
  return apiKinds.some((each) => each === kind);
}

function planMount(mount: VolumeMount, volume: Volume, variables: Readonly<Record<string, string>>): PlannedMount {
  const missing = new Set<string>();
  const subPath =
    mount.subPathExpr === ''
      ? mount.subPath
      : expand(mount.subPathExpr, (name) => {
          if (Object.hasOwn(variables, name)) return variables[name];
          missing.add(name);
          return undefined;
        });
  return {
    volume: volume.name,
    mountPath: posix.resolve('/', mount.mountPath),
    subPath,
    // What kubelet makes from the API is read-only, whatever the mount says.
    readOnly: mount.readOnly || isFromApi(kindOf(volume)) || volume.persistentVolumeClaim?.readOnly === true,
    ...(missing.size > 0 && {
      fault: `Its subPathExpr ${mount.subPathExpr} names ${[...missing].join(', ')}, which the container does not have.`,
    }),
  };
}
