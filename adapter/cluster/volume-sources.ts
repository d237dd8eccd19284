/** Reads and follows what the pod's volumes are made from: ConfigMaps, Secrets, the pod itself, tokens. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { IssuedToken, ObjectData, VolumeReader } from '../environment/volumes/volume-reader.ts';
import { isPassing } from './api.ts';
import { hasStatus, unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { watchList } from './watch.ts';

const dataSchema = z
  .record(z.string(), z.string())
  .nullish()
  .transform((data) => data ?? {});
const metadataSchema = z.looseObject({ uid: z.string(), resourceVersion: z.string() });
const objectSchema = z.looseObject({ metadata: metadataSchema, data: dataSchema, binaryData: dataSchema });
const watchedSchema = z.looseObject({ metadata: metadataSchema });
const tokenSchema = z.looseObject({
  spec: z.looseObject({ expirationSeconds: z.number().nullish() }).prefault({}),
  status: z.looseObject({ token: z.string(), expirationTimestamp: z.string().nullish() }),
});
const nodeSchema = z.looseObject({
  status: z
    .looseObject({ allocatable: z.record(z.string(), z.union([z.string(), z.number().transform(String)])).default({}) })
    .prefault({}),
});

/** Milliseconds after which what may not be watched is read again. */
const rereadMilliseconds = 60_000;

/** The reader on the real API. Values of Secrets and tokens are masked in logs from here on. */
export function volumeReader(cluster: Cluster, pause = rereadMilliseconds): VolumeReader {
  const { api, log } = cluster;
  const filesOf = (kind: 'ConfigMap' | 'Secret', object: z.infer<typeof objectSchema>): ObjectData => {
    if (kind === 'ConfigMap') return new Map([...encoded(object.data), ...decoded(object.binaryData)]);
    const files = new Map(decoded(object.data));
    for (const value of files.values()) log.redactor.add(value.toString('utf8'));
    return files;
  };

  return {
    async object(namespace, { kind, name }, signal) {
      const path = `${collection(namespace, kind)}/${encodeURIComponent(name)}`;
      const object = await unless([404], api.request({ method: 'GET', path, signal }, objectSchema));
      return object && filesOf(kind, object);
    },

    async *followObject(namespace, { kind, name }, signal) {
      const path = collection(namespace, kind);
      for await (const object of followOne(cluster, path, name, objectSchema, pause, signal)) {
        yield object && filesOf(kind, object);
      }
    },

    followPod: (namespace, name, signal) =>
      followOne(cluster, collection(namespace, 'Pod'), name, watchedSchema, pause, signal),

    async token(namespace, { serviceAccount, audience, expirationSeconds, pod }, signal): Promise<IssuedToken> {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(serviceAccount)}/token`;
      const body = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: audience === '' ? [] : [audience],
          ...(expirationSeconds !== undefined && { expirationSeconds }),
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid },
        },
      };
      const { status, spec } = await api.request({ method: 'POST', path, body, signal }, tokenSchema);
      log.redactor.add(status.token);
      const expires = Date.parse(status.expirationTimestamp ?? '');
      const asked = (spec.expirationSeconds ?? expirationSeconds ?? 3600) * 1000;
      return { token: status.token, lifetime: Number.isNaN(expires) ? asked : expires - api.now().getTime() };
    },

    async nodeAllocatable(name, signal) {
      const path = `/api/v1/nodes/${encodeURIComponent(name)}`;
      return (await unless([403, 404], api.request({ method: 'GET', path, signal }, nodeSchema)))?.status.allocatable;
    },
  };
}

/** One object now and after each change. Where it may not be listed and watched by its name, it is read from time to time. */
async function* followOne<T extends z.infer<typeof watchedSchema>>(
  { api }: Cluster,
  path: string,
  name: string,
  schema: z.ZodType<T>,
  pause: number,
  signal: AbortSignal,
): AsyncGenerator<T | undefined> {
  try {
    for await (const objects of watchList(api, path, { fieldSelector: `metadata.name=${name}` }, schema, signal)) {
      yield objects[0];
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!hasStatus(error, 403)) throw error;
  }
  const request = { method: 'GET', path: `${path}/${encodeURIComponent(name)}`, signal } as const;
  for (;;) {
    try {
      yield await unless([404], api.request(request, schema));
    } catch (error) {
      signal.throwIfAborted();
      // The network may come back; what is known stays.
      if (!isPassing(error)) throw error;
    }
    await delay(pause, undefined, { signal });
  }
}

function collection(namespace: string, kind: 'ConfigMap' | 'Secret' | 'Pod'): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind.toLowerCase()}s`;
}

function encoded(data: Readonly<Record<string, string>>): [string, Buffer][] {
  return Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'utf8')]);
}

function decoded(data: Readonly<Record<string, string>>): [string, Buffer][] {
  return Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]);
}
