/** The image of both ends of the load: the peer, Redis with its benchmark, and gRPC's health service. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { ImageArchive, Layer } from '../cluster/images/archive.ts';
import { cachedImage, cachedLayer, fileStamp } from '../cluster/images/cache.ts';
import { nodeBaseLayer } from '../cluster/images/node-base.ts';
import { ensurePackages } from '../cluster/packages.ts';

const run = promisify(execFile);

/** Debian's redis-check-rdb is the server under another name; the package redis-server would start a service here. */
export const redisPrograms = {
  server: '/usr/bin/redis-check-rdb',
  client: '/usr/bin/redis-cli',
  benchmark: '/usr/bin/redis-benchmark',
} as const;

export const loadImage = 'kubernetes-local.test/load:1';
/** The peer and gRPC's health service in the image. */
export const inImage = { node: '/bin/node', peer: '/load/peer.mjs', grpcHealth: '/bin/grpc-health' } as const;

/** Builds the image `loadImage`. Needs Go on the PATH. */
export async function buildLoadImage(
  cacheDirectory: string,
  onProgress: (text: string) => void = () => {},
): Promise<ImageArchive> {
  await ensurePackages(['redis-tools'], onProgress);
  const peer = await bundlePeer();
  const layers: Layer[] = [
    await nodeBaseLayer(cacheDirectory),
    await redisLayer(cacheDirectory),
    await grpcLayer(cacheDirectory),
    await cachedLayer(cacheDirectory, { name: 'load-peer', source: import.meta.filename, inputs: [peer] }, (root) =>
      root.write(inImage.peer, peer),
    ),
  ];
  return cachedImage(cacheDirectory, { name: loadImage, layers, entrypoint: [], user: '65532:65532' });
}

/** Builds gRPC's health service for this computer, as it is in the image. The caller removes the file. */
export async function buildGrpcHealth(file: string): Promise<void> {
  // It is static, so that the same command makes it for the image.
  const options = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', file];
  await run('go', ['build', ...options, '.'], {
    cwd: grpcSource,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off', GOMAXPROCS: '2' },
  });
}

const grpcSource = join(import.meta.dirname, 'grpc-health');

async function bundlePeer(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'peer', 'main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // ws is CommonJS and asks for Node's modules at run time.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    external: ['bufferutil', 'utf-8-validate'],
    logLevel: 'warning',
  });
  const [output] = outputFiles;
  if (!output) throw new Error('esbuild wrote nothing for the peer.');
  return output.text;
}

async function redisLayer(cacheDirectory: string): Promise<Layer> {
  const inputs = await Promise.all(Object.values(redisPrograms).map(fileStamp));
  return cachedLayer(cacheDirectory, { name: 'load-redis', source: import.meta.filename, inputs }, async (root) => {
    await root.copyProgram(redisPrograms.server, '/bin/redis-server');
    await root.copyProgram(redisPrograms.client, '/bin/redis-cli');
    await root.copyProgram(redisPrograms.benchmark, '/bin/redis-benchmark');
  });
}

async function grpcLayer(cacheDirectory: string): Promise<Layer> {
  const inputs = await Promise.all(['go.mod', 'main.go'].map((name) => readFile(join(grpcSource, name), 'utf8')));
  return cachedLayer(cacheDirectory, { name: 'load-grpc', source: import.meta.filename, inputs }, async (root) => {
    const scratch = await mkdtemp(join(tmpdir(), 'grpc-health-'));
    try {
      await buildGrpcHealth(join(scratch, 'grpc-health'));
      await root.copy(join(scratch, 'grpc-health'), inImage.grpcHealth);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}
