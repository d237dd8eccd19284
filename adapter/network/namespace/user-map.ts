/** Makes the users of a new user namespace: for root, everybody as himself, so that a program of root's stays root's. */
import { readFile, writeFile } from 'node:fs/promises';

/**
 * Maps all users and groups of our own namespace to themselves in that of `pid`, which has none yet. Only root may.
 * Rejects with the system's error.
 */
export async function mapAllUsers(pid: number): Promise<void> {
  for (const table of ['uid_map', 'gid_map']) {
    await writeFile(`/proc/${pid}/${table}`, identityMap(await readFile(`/proc/self/${table}`, 'latin1')));
  }
}

/** user_namespaces(7): each line is first id inside, first id outside, count; "outside" is ours, whatever ours stands for. */
export function identityMap(own: string): string {
  return own
    .trim()
    .split('\n')
    .map((line) => {
      const [inside = '', , count = ''] = line.trim().split(/\s+/);
      return `${inside} ${inside} ${count}\n`;
    })
    .join('');
}
