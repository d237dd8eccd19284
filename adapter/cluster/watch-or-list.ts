/** A list that is kept up to date, also where the user may not watch it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { type Api, isPassing } from './api.ts';
import { hasStatus } from './api-error.ts';
import { listSchema } from './objects.ts';
import { watchList } from './watch.ts';

interface Watched {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
}

/** One state of the list; `watched` says whether the next change will show at once. */
export interface CurrentList<T> {
  readonly objects: readonly T[];
  readonly watched: boolean;
}

/** Milliseconds after which a list that may not be watched is read again. */
export const relistMilliseconds = 30_000;

/**
 * As watchList. Where the user may list but not watch (403), the list is read again from time to time; then states follow
 * each other without a change. Ends only by the signal (throws its reason) or a Problem.
 */
export async function* watchOrList<T extends Watched>(
  api: Api,
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
  pause = relistMilliseconds,
): AsyncGenerator<CurrentList<T>> {
  let latest: readonly T[] | undefined;
  try {
    for await (const objects of watchList(api, path, {}, schema, signal)) {
      latest = objects;
      yield { objects, watched: true };
    }
  } catch (error) {
    signal.throwIfAborted();
    if (latest === undefined || !hasStatus(error, 403)) throw error;
  }
  for (;;) {
    yield { objects: latest ?? [], watched: false };
    try {
      await delay(pause, undefined, { signal });
      latest = (await api.request({ method: 'GET', path, signal }, listSchema(schema))).items;
    } catch (error) {
      signal.throwIfAborted();
      // The network may come back; what is known stays.
      if (!isPassing(error)) throw error;
    }
  }
}
