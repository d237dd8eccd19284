/** How many files, sockets and listeners this process may open. */
import { readdir, readFile } from 'node:fs/promises';

/** What a session needs for everything but its listeners: tunnels, connections, logs. */
const reserve = 200;

/** The limit, and how many listeners still fit; undefined where the system does not tell. Node has raised the soft limit to the hard one. */
export async function spareDescriptors(): Promise<{ readonly limit: number; readonly spare: number } | undefined> {
  // Other systems have no such files.
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
  if (!Number.isInteger(limit)) return undefined;
  const { length: open } = await readdir('/proc/self/fd');
  return { limit, spare: Math.max(0, limit - open - reserve) };
}
