import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { clusterFolder, programsOfClusters } from './folders.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it("keeps a cluster below the user's cache folder", () => {
  vi.stubEnv('XDG_CACHE_HOME', '/caches');
  expect(clusterFolder('test')).toBe('/caches/kubernetes-local/clusters/test');
});

it('takes an empty XDG_CACHE_HOME for none', () => {
  vi.stubEnv('XDG_CACHE_HOME', '');
  vi.stubEnv('HOME', '/home/someone');
  expect(clusterFolder('a-1')).toBe('/home/someone/.cache/kubernetes-local/clusters/a-1');
});

it.each(['', '..', 'a/b', 'A', '-a', 'a-', 'a b', 'a'.repeat(31)])('refuses the name %j', (name) => {
  expect(() => clusterFolder(name)).toThrow(/no name for a cluster/);
});

it('knows the programs of all clusters, and none before there is one', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'cache-'));
  try {
    vi.stubEnv('XDG_CACHE_HOME', cache);
    expect(await programsOfClusters()).toEqual([]);
    for (const name of ['a', 'b', 'never-started']) await mkdir(clusterFolder(name), { recursive: true });
    await writeFile(join(clusterFolder('a'), 'program'), '/programs/1/kubenode');
    await writeFile(join(clusterFolder('b'), 'program'), '/programs/2/kubenode');
    expect((await programsOfClusters()).sort()).toEqual(['/programs/1/kubenode', '/programs/2/kubenode']);
  } finally {
    await rm(cache, { recursive: true });
  }
});
