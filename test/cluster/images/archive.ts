/**
 * Owns: container images made from files of this computer, without a registry, a daemon or an image builder.
 * An image is a docker-archive: what `docker load`, `podman load`, `skopeo copy` and `ctr images import` read.
 * Format: https://github.com/opencontainers/image-spec/blob/main/config.md for the configuration, and
 * https://github.com/moby/docker-image-spec for manifest.json.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

/** One layer of an image: an uncompressed tar and the SHA-256 of it, `sha256:…`. */
export interface Layer {
  readonly file: string;
  readonly digest: string;
}

/** What an image is made of; the fields have the meaning they have in the OCI image configuration. */
export interface ImageDescription {
  /** With registry and tag, such as `kubernetes-local.test/pause:1`. */
  readonly name: string;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  readonly entrypoint: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Numeric `UID:GID`, so that `runAsNonRoot` can be checked by the kubelet. */
  readonly user?: string;
  readonly workingDirectory?: string;
}

/** An image in a file. `digest` is the image id: the digest of its configuration. */
export interface ImageArchive {
  readonly name: string;
  readonly archive: string;
  readonly digest: string;
}

const run = promisify(execFile);

/** Same files, same bytes: nothing of the time, the user or the order of the file system gets into a tar. */
const deterministic = ['--format=gnu', '--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];

/** Writes all that is below `rootDirectory` as a layer. Modes stay but everyone may read; every owner is root. */
export async function writeLayer(rootDirectory: string, outFile: string): Promise<Layer> {
  await run('tar', [...deterministic, '--mode=a+rX', '--hard-dereference', '-C', rootDirectory, '-cf', outFile, '.']);
  return { file: outFile, digest: await digestOf(outFile) };
}

/** Writes an image as a docker-archive. */
export async function writeImageArchive(image: ImageDescription, outFile: string): Promise<ImageArchive> {
  const configuration = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      Entrypoint: image.entrypoint,
      ...(image.command && { Cmd: image.command }),
      Env: Object.entries({ PATH: '/bin', ...image.env }).map(([name, value]) => `${name}=${value}`),
      ...(image.user && { User: image.user }),
      WorkingDir: image.workingDirectory ?? '/',
    },
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.digest) },
    history: image.layers.map(() => ({ created: '1970-01-01T00:00:00Z' })),
  });
  const digest = `sha256:${createHash('sha256').update(configuration).digest('hex')}`;
  const fileOf = (of: string, extension: string) => `${of.replace('sha256:', '')}.${extension}`;
  const staging = await mkdtemp(`${outFile}.`);
  try {
    // Not hard links: a new one changes the file's status, at which a tar that reads it for another image gives up.
    for (const layer of image.layers) {
      await symlink(resolve(layer.file), join(staging, fileOf(layer.digest, 'tar')));
    }
    await writeFile(join(staging, fileOf(digest, 'json')), configuration);
    await writeFile(
      join(staging, 'manifest.json'),
      JSON.stringify([
        {
          Config: fileOf(digest, 'json'),
          RepoTags: [image.name],
          Layers: image.layers.map((layer) => fileOf(layer.digest, 'tar')),
        },
      ]),
    );
    const members = [
      'manifest.json',
      fileOf(digest, 'json'),
      ...new Set(image.layers.map((layer) => fileOf(layer.digest, 'tar'))),
    ];
    await run('tar', [...deterministic, '--mode=0644', '--dereference', '-C', staging, '-cf', outFile, ...members]);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return { name: image.name, archive: outFile, digest };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return `sha256:${hash.digest('hex')}`;
}
