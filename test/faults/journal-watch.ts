/** Sees what a session writes to its journal, as soon as it stands there, and holds its daemon at that point. */
import { type FSWatcher, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Lane } from './lane.ts';
import { signal } from './processes.ts';

const actSchema = z.looseObject({ act: z.string(), id: z.string().optional(), pid: z.int().optional() });
export type SeenAct = z.infer<typeof actSchema>;

/** The acts in the journal of a lane's session; none if it has none. */
export function actsIn({ state }: Lane): readonly SeenAct[] {
  const sessions = join(state, 'sessions');
  return readdirSync(sessions).flatMap((key) => {
    const lines = textOf(join(sessions, key, 'journal.jsonl'))
      .split('\n')
      .slice(0, -1);
    return lines.map((line) => actSchema.parse(JSON.parse(line)));
  });
}

/** A journal that is removed meanwhile has nothing in it. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The daemon of the lane's session, as its journal names it. */
export function daemonOf(lane: Lane): number | undefined {
  return actsIn(lane).find(({ act }) => act === 'session')?.pid;
}

/** Resolves when `look` says so; it is asked at every change in the folders. Rejects when the signal aborts. */
export async function seen(folders: readonly string[], look: () => boolean, stop: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const looked = () => {
    try {
      if (look()) resolve();
    } catch (error) {
      reject(error);
    }
  };
  const watchers: FSWatcher[] = folders.map((folder) => watch(folder, looked));
  const aborted = () => reject(stop.reason);
  stop.addEventListener('abort', aborted);
  try {
    stop.throwIfAborted();
    looked();
    await promise;
  } finally {
    for (const each of watchers) each.close();
    stop.removeEventListener('abort', aborted);
  }
}

/** Stops the daemon when this act is the last in the journal; false if the daemon had gone on before it stood still. */
export async function heldAtAct(lane: Lane, folder: string, act: string, stop: AbortSignal): Promise<boolean> {
  let daemon: number | undefined;
  await seen(
    [folder],
    () => {
      const acts = actsIn(lane);
      if (!acts.some((one) => one.act === act)) return false;
      daemon = daemonOf(lane);
      return daemon !== undefined && signal(daemon, 'SIGSTOP');
    },
    stop,
  );
  return actsIn(lane).at(-1)?.act === act;
}
