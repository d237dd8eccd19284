/** Images in the cluster's containerd. They persist in the cluster's folder, so each is imported once. */
import { z } from 'zod';
import { ClusterError } from './error.ts';
import { privileged } from './privileges.ts';
import { run } from './run.ts';

/** An image in a file; `digest` is that of its configuration, the image's id. */
export interface LoadableImage {
  readonly name: string;
  readonly archive: string;
  readonly digest: string;
}

const label = 'kubernetes-local.test/digest';

/** Imports an image unless the same is there already. Answers whether it had to. `nodePid` is the cluster's process 1. */
export async function loadImage(nodePid: number, image: LoadableImage, signal?: AbortSignal): Promise<boolean> {
  // containerd's socket lies in the cluster's own /run, which is reached through its process 1.
  const socket = `/proc/${nodePid}/root/run/containerd/containerd.sock`;
  const images = (...args: string[]) =>
    run(privileged(['ctr', '--address', socket, '--namespace', 'k8s.io', 'images', ...args]), { signal });
  const { stdout } = await images('list', `name==${image.name}`);
  if (stdout.includes(`${label}=${image.digest}`)) return false;
  await images('import', image.archive);
  await images('label', image.name, `${label}=${image.digest}`);
  return true;
}

const manifest = z.tuple([z.object({ Config: z.string(), RepoTags: z.array(z.string()) })]);

/** What a docker-archive holds. */
export async function describeArchive(archive: string, signal?: AbortSignal): Promise<LoadableImage> {
  const { stdout } = await run(['tar', '--extract', '--to-stdout', '--file', archive, 'manifest.json'], { signal });
  const [image] = manifest.safeParse(JSON.parse(stdout)).data ?? [];
  const [hash] = /[0-9a-f]{64}/.exec(image?.Config ?? '') ?? [];
  const [name] = image?.RepoTags ?? [];
  if (hash === undefined || name === undefined) {
    throw new ClusterError(`${archive} is no docker-archive of one named image.`);
  }
  return { name, archive, digest: `sha256:${hash}` };
}
