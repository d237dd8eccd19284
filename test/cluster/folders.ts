/** Where the test clusters keep what outlives a run: below the user's cache folder, for all of it can be made again. */
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ClusterError } from './error.ts';

/** `$XDG_CACHE_HOME/kubernetes-local`, by default `~/.cache/kubernetes-local`. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kubernetes-local');
}

/** The folder of one cluster: its kubeconfig, keys, logs, images. */
export function clusterFolder(name: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/.test(name)) {
    throw new ClusterError(`"${name}" is no name for a cluster: use up to 30 small letters, digits and dashes.`);
  }
  return join(cacheFolder(), 'clusters', name);
}

/** The path of the program that a cluster was last started with, written by itself; undefined if it never was. */
export async function programOfCluster(folder: string): Promise<string | undefined> {
  return readFile(join(folder, 'program'), 'utf8').catch(() => undefined);
}

/** The programs of all clusters, running or not. */
export async function programsOfClusters(): Promise<string[]> {
  const clusters = join(cacheFolder(), 'clusters');
  const names = await readdir(clusters).catch(() => []);
  const programs = await Promise.all(names.map((name) => programOfCluster(join(clusters, name))));
  return programs.filter((program) => program !== undefined);
}
