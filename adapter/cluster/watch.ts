/**
 * Lists and then watches one kind of object, for as long as it is wanted.
 * client-node's Watch drops idle watches after 30 s and hides a 410; here bookmarks keep the place, a watch that ends is
 * resumed, one that is too old is begun again with a list.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { Problem } from '../problem.ts';
import { type Api, isPassing, type Query } from './api.ts';
import { hasStatus } from './api-error.ts';
import { listSchema } from './objects.ts';

const eventSchema = z.looseObject({ type: z.string(), object: z.unknown() });
const bookmarkSchema = z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string() }) });
interface Watched {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
}

/** Milliseconds. */
const usualBackoff = { first: 1000, longest: 10_000 };
/**
 * So many refusals in a row are waited out by a watch that has worked: credentials are renewed a moment after the old ones
 * end, and an API server that starts again knows its roles a moment after it answers.
 */
const mostRefusals = 6;
/** The server ends the watch after this many seconds; a connection that died silently is noticed at the latest then. */
const watchSeconds = 60;

/**
 * The full current list at the start and after each change. Goes on while the cluster cannot be reached, and while it refuses
 * credentials that it once accepted. Ends only by the signal (throws its reason) or a Problem.
 */
export async function* watchList<T extends Watched>(
  api: Api,
  path: string,
  query: Query,
  schema: z.ZodType<T>,
  signal: AbortSignal,
  /** For tests. */
  { first, longest } = usualBackoff,
): AsyncGenerator<readonly T[]> {
  let backoff = first;
  let version = '';
  let worked = false;
  /** Who may list may not always watch: only a watch that has worked waits for its right to come back. */
  let watched = false;
  let refusals = 0;
  const objects = new Map<string, T>();
  for (;;) {
    try {
      if (version === '') {
        const list = await api.request({ method: 'GET', path, query, signal }, listSchema(schema));
        objects.clear();
        for (const object of list.items) objects.set(object.metadata.uid, object);
        version = list.metadata.resourceVersion;
        yield [...objects.values()];
      }
      backoff = first;
      worked = true;
      const begun = performance.now();
      const options = {
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: version,
        timeoutSeconds: watchSeconds,
      };
      for await (const line of resumable(api, path, { ...query, ...options }, signal)) {
        watched = true;
        const event = eventSchema.parse(JSON.parse(line));
        if (event.type === 'ERROR') {
          version = '';
          break;
        }
        if (event.type === 'BOOKMARK') {
          version = bookmarkSchema.parse(event.object).metadata.resourceVersion;
          continue;
        }
        const object = schema.parse(event.object);
        version = object.metadata.resourceVersion;
        if (event.type === 'DELETED') objects.delete(object.metadata.uid);
        else objects.set(object.metadata.uid, object);
        yield [...objects.values()];
      }
      watched = true;
      refusals = 0;
      // A server that ends watches at once must not be asked in a tight loop.
      if (performance.now() - begun < first) await delay(first, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (hasStatus(error, 410)) version = '';
      else if (hasStatus(error, 403) && watched && refusals < mostRefusals) refusals += 1;
      else if (!isPassing(error) && !(worked && isCredentialsProblem(error))) throw error;
      await delay(backoff * (0.75 + Math.random() / 2), undefined, { signal });
      backoff = Math.min(backoff * 2, longest);
    }
  }
}

/** The user can mend it by signing in again. */
function isCredentialsProblem(error: unknown): boolean {
  return error instanceof Problem && error.code === 'credentials-refused';
}

/** The lines of one watch; a connection that dies on the way only ends it. */
async function* resumable(api: Api, path: string, query: Query, signal: AbortSignal): AsyncGenerator<string> {
  const silence = AbortSignal.timeout((watchSeconds + 15) * 1000);
  const lines = api.lines({ method: 'GET', path, query, signal: AbortSignal.any([signal, silence]) });
  try {
    for await (const line of lines) if (line !== '') yield line;
  } catch (error) {
    signal.throwIfAborted();
    if (!silence.aborted && !isPassing(error)) throw error;
  }
}
