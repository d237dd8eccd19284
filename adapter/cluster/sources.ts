/** Reads ConfigMaps and Secrets for the environment. */
import { z } from 'zod';
import type { EnvironmentReader } from '../environment/environment.ts';
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';

const dataSchema = z
  .record(z.string(), z.string())
  .nullish()
  .transform((data) => data ?? {});
const configMapSchema = z.looseObject({ data: dataSchema });
const secretSchema = z.looseObject({ data: dataSchema });

/** The reader that resolves `configMapKeyRef`, `secretKeyRef` and `envFrom`. Secret values are masked in logs from here on. */
export function environmentReader(cluster: Cluster): EnvironmentReader {
  const path = (namespace: string, resource: string, name: string) =>
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}/${encodeURIComponent(name)}`;
  return {
    async configMap(namespace, name, signal) {
      const request = { method: 'GET', path: path(namespace, 'configmaps', name), signal } as const;
      return (await unless([404], cluster.api.request(request, configMapSchema)))?.data;
    },
    async secret(namespace, name, signal) {
      const request = { method: 'GET', path: path(namespace, 'secrets', name), signal } as const;
      const secret = await unless([404], cluster.api.request(request, secretSchema));
      if (!secret) return undefined;
      const entries = Object.entries(secret.data).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const);
      for (const [, value] of entries) cluster.log.redactor.add(value.toString('utf8'));
      return Object.fromEntries(entries);
    },
  };
}
