/** What the agent's image weighs, and what of it is Node. */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { buildAgentImage } from '../../cluster/images/agent.ts';
import { imageCache } from '../../stage/cache.ts';

/** Megabytes (10⁶ bytes). */
export interface ImageWeight {
  readonly archive: number;
  /** As a registry stores it and a node pulls it. */
  readonly compressed: number;
  readonly node: number;
  /** The C and C++ libraries that Node is linked with. */
  readonly libraries: number;
  /** Our own two files. */
  readonly agent: number;
  readonly reaper: number;
}

const run = promisify(execFile);

export async function weighImage(): Promise<ImageWeight> {
  const { archive } = await buildAgentImage(imageCache());
  const files = await filesOf(archive);
  const sum = (wanted: (path: string) => boolean) =>
    files.filter(({ path }) => wanted(path)).reduce((total, { bytes }) => total + bytes, 0) / 1e6;
  return {
    archive: (await stat(archive)).size / 1e6,
    compressed: (await compressedBytes(archive)) / 1e6,
    node: sum((path) => path.endsWith('/bin/node')),
    libraries: sum((path) => /\/lib(64)?\//.test(path)),
    agent: sum((path) => path.endsWith('/agent/main.js')),
    reaper: sum((path) => path.endsWith('/agent/reaper.mjs')),
  };
}

async function filesOf(archive: string): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const { stdout: members } = await run('tar', ['-tf', archive]);
  const layers = members.split('\n').filter((name) => name.endsWith('.tar'));
  const lists = layers.map(async (layer) => {
    const list = await run('sh', ['-c', 'tar -xOf "$1" "$2" | tar -tv', 'sh', archive, layer]);
    return list.stdout.split('\n').flatMap((line) => {
      const [, bytes, path] = /^-\S+\s+\S+\s+(\d+)\s+\S+\s+\S+\s+(.*)$/.exec(line) ?? [];
      return path === undefined ? [] : [{ path, bytes: Number(bytes) }];
    });
  });
  return (await Promise.all(lists)).flat();
}

async function compressedBytes(file: string): Promise<number> {
  let bytes = 0;
  await pipeline(createReadStream(file), createGzip(), async (chunks) => {
    for await (const chunk of chunks) bytes += chunk.length;
  });
  return bytes;
}
