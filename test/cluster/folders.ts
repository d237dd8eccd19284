/** Where the test clusters keep what outlives a run: below the user's cache folder, for all of it can be made again. */
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
