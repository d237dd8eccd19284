/**
 * Lists and then watches one kind of object, for as long as it is wanted.
 * client-node's Watch drops idle watches after 30 s and hides a 410; here bookmarks keep the place, a watch that ends is
 * resumed, one that is too old is begun again with a list.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type Api, isPassing, type Query } from './api.ts';
import { hasStatus } from './api-error.ts';
import { listSchema } from './objects.ts';

const eventSchema = z.looseObject({ type: z.string(), object: z.unknown() });
const bookmarkSchema = z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string() }) });
interface Watched {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
}

const firstBackoff = 1000;
const longestBackoff = 10_000;
/** The server ends the watch after this many seconds; a connection that died silently is noticed at the latest then. */
const watchSeconds = 60;

/** The full current list at the start and after each change. Ends only by the signal (throws its reason) or a Problem. */
export async function* watchList<T extends Watched>(
  api: Api,
  path: string,
  query: Query,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): AsyncGenerator<readonly T[]> {
  let backoff = firstBackoff;
  let version = '';
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
      backoff = firstBackoff;
      const begun = Date.now();
      const options = {
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: version,
        timeoutSeconds: watchSeconds,
      };
      for await (const line of resumable(api, path, { ...query, ...options }, signal)) {
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
      // A server that ends watches at once must not be asked in a tight loop.
      if (Date.now() - begun < firstBackoff) await delay(firstBackoff, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (hasStatus(error, 410)) version = '';
      else if (!isPassing(error)) throw error;
      await delay(backoff * (0.75 + Math.random() / 2), undefined, { signal });
      backoff = Math.min(backoff * 2, longestBackoff);
    }
  }
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
