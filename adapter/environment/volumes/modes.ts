/** Permission bits as the container sees them: kubelet's own, and what `fsGroup` and `runAsUser` make of them. */
import type { Pod, Volume } from '../pod.ts';

/** How the files and folders of one volume are marked. */
export interface VolumeModes {
  /** The volume's own folder. */
  readonly root: number;
  /** Every folder that is made inside. */
  readonly folder: number;
  /** What a file gets that asks for this mode. */
  file(mode: number): number;
  /** The mode that a token asks for. */
  token(defaultMode: number): number;
}

const usualMode = 0o644;
const groupRead = 0o440;
const groupEnter = 0o110;
const setGroup = 0o2000;
const sticky = 0o1000;

/** The bits that are used where the volume does not set `defaultMode`; the API fills it in. */
export function defaultModeOf(mode: number | null | undefined): number {
  return mode ?? usualMode;
}

/** The modes of that volume of that pod. */
export function modesOf(pod: Pod, volume: Volume): VolumeModes {
  const hasGroup = pod.spec.securityContext?.fsGroup != null;
  // ConfigMaps are on the node's disk, all others on a tmpfs of their own, whose root is sticky.
  const root = volume.configMap == null ? 0o777 | sticky : 0o777;
  return {
    root: hasGroup ? root | setGroup : root,
    folder: hasGroup ? 0o755 | setGroup | groupRead | groupEnter : 0o755,
    // A container's root reads any file; here the user must be able to.
    file: (mode) => (hasGroup ? mode | groupRead : mode | 0o400),
    // With a group or a single user, kubelet gives the token to them alone.
    token: (defaultMode) => (hasGroup || singleUser(pod) !== undefined ? 0o600 : defaultMode),
  };
}

/** The user that all containers run as; undefined if they differ or one does not say. */
function singleUser(pod: Pod): number | undefined {
  const { initContainers, containers, securityContext } = pod.spec;
  const users = [...initContainers, ...containers].map(
    (container) => container.securityContext?.runAsUser ?? securityContext?.runAsUser ?? undefined,
  );
  return users.every((user) => user === users[0]) ? users[0] : undefined;
}
