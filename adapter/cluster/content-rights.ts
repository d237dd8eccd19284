/** The rights that the variables and files of a container need: to read what they refer to. */
import { z } from 'zod';
import { automaticVolume } from '../environment/volumes/plan.ts';
import type { Pod } from './objects.ts';
import type { Right } from './right.ts';

const named = z.looseObject({ name: z.string().default(''), optional: z.boolean().nullish() });
const reference = named.nullish();
const containerSchema = z.looseObject({
  env: z
    .array(
      z.looseObject({
        valueFrom: z.looseObject({ configMapKeyRef: reference, secretKeyRef: reference }).nullish(),
      }),
    )
    .nullish(),
  envFrom: z.array(z.looseObject({ configMapRef: reference, secretRef: reference })).nullish(),
  volumeMounts: z.array(z.looseObject({ name: z.string() })).nullish(),
});
const volumeSchema = z.looseObject({
  name: z.string(),
  configMap: reference,
  secret: z.looseObject({ secretName: z.string().nullish() }).nullish(),
  projected: z
    .looseObject({
      sources: z
        .array(
          z.looseObject({ configMap: reference, secret: reference, serviceAccountToken: z.looseObject({}).nullish() }),
        )
        .nullish(),
    })
    .nullish(),
});
const specSchema = z.looseObject({
  serviceAccountName: z.string().nullish(),
  volumes: z.array(volumeSchema).nullish(),
});

/**
 * Reading the ConfigMaps and Secrets of environment and volumes, and asking for the tokens that the pod itself declares. Not
 * what Kubernetes adds to nearly each pod: few programs use it, so that a session goes on without it.
 */
export function contentRights(pod: Pod, container: string): readonly Right[] {
  const found = pod.spec.containers.find(({ name }) => name === container);
  const { env, envFrom, volumeMounts } = containerSchema.parse(found ?? {});
  const { serviceAccountName, volumes } = specSchema.parse(pod.spec);
  const mounted = new Set((volumeMounts ?? []).map(({ name }) => name));
  const used = (volumes ?? []).filter(({ name }) => mounted.has(name) && !automaticVolume.test(name));
  const projected = used.flatMap((volume) => volume.projected?.sources ?? []);
  const configMaps = [
    ...(env ?? []).map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
    ...(envFrom ?? []).map(({ configMapRef }) => configMapRef?.name),
    ...used.map(({ configMap }) => configMap?.name),
    ...projected.map(({ configMap }) => configMap?.name),
  ];
  const secrets = [
    ...(env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ...(envFrom ?? []).map(({ secretRef }) => secretRef?.name),
    ...used.map(({ secret }) => secret?.secretName),
    ...projected.map(({ secret }) => secret?.name),
  ];
  const tokens = projected.some(({ serviceAccountToken }) => serviceAccountToken != null);
  return [
    ...distinct(configMaps).map((name) => read('configmaps', name)),
    ...distinct(secrets).map((name) => read('secrets', name)),
    ...(tokens ? [tokenRight(serviceAccountName || 'default')] : []),
  ];
}

function read(resource: 'configmaps' | 'secrets', name: string): Right {
  return { verb: 'get', group: '', resource, name };
}

function tokenRight(name: string): Right {
  return { verb: 'create', group: '', resource: 'serviceaccounts/token', name };
}

function distinct(names: readonly (string | null | undefined)[]): readonly string[] {
  return [...new Set(names.flatMap((name) => name || []))];
}

/** A right that a session works without, with what is lost without it, in full sentences. */
export interface OptionalContentRight extends Right {
  readonly loss: string;
}

/** What makes the program see more of what the container sees. */
export const optionalContentRights: readonly OptionalContentRight[] = [
  // A websocket is a GET; since Kubernetes 1.35 the API server asks for `create` as well.
  ...(['get', 'create'] as const).map((verb) => ({
    verb,
    group: '',
    resource: 'pods/exec',
    loss: 'The variables that the image sets are not known here.',
  })),
  {
    verb: 'create',
    group: '',
    resource: 'serviceaccounts/token',
    loss: 'The program has no token for the API server.',
  },
  ...(['configmaps', 'secrets'] as const).flatMap((resource) =>
    (['list', 'watch'] as const).map((verb) => ({
      verb,
      group: '',
      resource,
      loss: `Files of ${resource === 'secrets' ? 'Secrets' : 'ConfigMaps'} that change show here after up to 60 seconds.`,
    })),
  ),
];
