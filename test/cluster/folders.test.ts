import { afterEach, expect, it, vi } from 'vitest';
import { clusterFolder } from './folders.ts';

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
