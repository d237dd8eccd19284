/** Mounts that stand inside a volume: kubelet makes a folder in the volume for each, in whatever container it is mounted. */
import { posix } from 'node:path';
import type { Pod, Volume } from '../pod.ts';
import { volumeOf } from './plan.ts';

/** The folders, relative to the volume, on which other mounts stand. One inside another such folder is not among them. */
export function nestedMountPoints(pod: Pod, volume: Volume): readonly string[] {
  const found = [...pod.spec.initContainers, ...pod.spec.containers].flatMap(({ volumeMounts }) => {
    const paths = volumeMounts.map(({ mountPath }) => posix.resolve('/', mountPath)).sort();
    const own = volumeMounts.filter(({ name }) => volumeOf(pod, name) === volume);
    return own.flatMap(({ mountPath }) => {
      const above = `${posix.resolve('/', mountPath)}/`;
      const inside = paths.filter((path) => path.startsWith(above));
      const outermost = inside.filter((path) => !inside.some((other) => path.startsWith(`${other}/`)));
      return outermost.map((path) => path.slice(above.length));
    });
  });
  return [...new Set(found)];
}
