/**
 * What the environment and the volumes need of a Pod object; everything else in it is let through unseen.
 * Kubernetes leaves out what is empty, and some clients write null for it: both mean the default here.
 */
import { z } from 'zod';
import { Problem } from '../problem.ts';

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const flag = (otherwise: boolean) =>
  z
    .boolean()
    .nullish()
    .transform((value) => value ?? otherwise);
const texts = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
/** Quantities are strings in the API's JSON; client libraries and YAML may hold numbers. */
const quantities = z
  .record(z.string(), z.union([z.string(), z.number().transform(String)]))
  .nullish()
  .transform((value) => value ?? {});
const resources = z
  .object({ limits: quantities, requests: quantities })
  .nullish()
  .transform((value) => value ?? { limits: {}, requests: {} });
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((value) => value ?? []);

const objectReference = z.object({ name: text, optional: flag(false) });
const keyReference = objectReference.extend({ key: z.string() });

const resourceReference = z.object({
  containerName: text,
  resource: z.string(),
  divisor: z.union([z.string(), z.number().transform(String)]).nullish(),
});

const variable = z.object({
  name: z.string(),
  value: text,
  valueFrom: z
    .object({
      configMapKeyRef: keyReference.nullish(),
      secretKeyRef: keyReference.nullish(),
      fieldRef: z.object({ fieldPath: z.string() }).nullish(),
      resourceFieldRef: resourceReference.nullish(),
      fileKeyRef: z.object({ volumeName: text, path: text, key: text, optional: flag(false) }).nullish(),
    })
    .nullish(),
});

const number = z.number().nullish();
const items = list(z.object({ key: z.string(), path: z.string(), mode: number }));
const downwardItems = list(
  z.object({
    path: z.string(),
    mode: number,
    fieldRef: z.object({ fieldPath: z.string() }).nullish(),
    resourceFieldRef: resourceReference.nullish(),
  }),
);
const objectFiles = objectReference.extend({ items });

/** One entry of a projected volume's `sources`; loose, so that a kind of source that is not known can be named. */
const projectedSource = z.looseObject({
  configMap: objectFiles.nullish(),
  secret: objectFiles.nullish(),
  downwardAPI: z.object({ items: downwardItems }).nullish(),
  serviceAccountToken: z.object({ audience: text, expirationSeconds: number, path: z.string() }).nullish(),
});

/** Loose: the key that is there says which kind of volume it is. */
const volume = z.looseObject({
  name: z.string(),
  configMap: objectFiles.extend({ defaultMode: number }).nullish(),
  secret: z.object({ secretName: text, optional: flag(false), items, defaultMode: number }).nullish(),
  projected: z.object({ sources: list(projectedSource), defaultMode: number }).nullish(),
  downwardAPI: z.object({ items: downwardItems, defaultMode: number }).nullish(),
  persistentVolumeClaim: z.object({ readOnly: flag(false) }).nullish(),
});

const volumeMount = z.object({
  name: z.string(),
  mountPath: z.string(),
  subPath: text,
  subPathExpr: text,
  readOnly: flag(false),
});

const container = z.object({
  name: z.string(),
  volumeMounts: list(volumeMount),
  securityContext: z.object({ runAsUser: number }).nullish(),
  env: list(variable),
  envFrom: list(
    z.object({ prefix: text, configMapRef: objectReference.nullish(), secretRef: objectReference.nullish() }),
  ),
  resources,
});

const pod = z.object({
  metadata: z.object({ name: text, namespace: text, uid: text, labels: texts, annotations: texts }),
  spec: z.object({
    nodeName: text,
    serviceAccountName: text,
    enableServiceLinks: flag(true),
    resources,
    containers: z.array(container),
    initContainers: list(container),
    volumes: list(volume),
    securityContext: z.object({ runAsUser: number, fsGroup: number }).nullish(),
  }),
  status: z
    .object({
      hostIP: text,
      hostIPs: list(z.object({ ip: text })),
      podIP: text,
      podIPs: list(z.object({ ip: text })),
    })
    .nullish()
    .transform((value) => value ?? { hostIP: '', hostIPs: [], podIP: '', podIPs: [] }),
});

/** A Pod as far as its environment needs it. */
export type Pod = z.infer<typeof pod>;
/** One container of a Pod, likewise. */
export type Container = z.infer<typeof container>;
/** One entry of a container's `env`. */
export type DeclaredVariable = z.infer<typeof variable>;
/** The `resourceFieldRef` of a variable. */
export type ResourceReference = NonNullable<NonNullable<DeclaredVariable['valueFrom']>['resourceFieldRef']>;
/** One entry of a pod's `volumes`. */
export type Volume = z.infer<typeof volume>;
/** One entry of a projected volume's `sources`. */
export type ProjectedSource = z.infer<typeof projectedSource>;
/** One entry of `items` of a ConfigMap's or Secret's files. */
export type KeyToPath = z.infer<typeof items>[number];
/** One file of a downward API volume. */
export type DownwardItem = z.infer<typeof downwardItems>[number];
/** One entry of a container's `volumeMounts`. */
export type VolumeMount = z.infer<typeof volumeMount>;

/** A V1Pod as the API gives it. @throws Problem environment-unresolved if it is not one. */
export function parsePod(value: unknown): Pod {
  const parsed = pod.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Problem({
    code: 'environment-unresolved',
    what: 'The pod’s description could not be read.',
    why: z.prettifyError(parsed.error),
    remedy: 'Please report this; the pod has a shape that kubernetes-local does not know.',
  });
}

/** The container of that name, among the ordinary ones first, then among the init containers (sidecars live there). */
export function findContainer(of: Pod, name: string): Container | undefined {
  return [...of.spec.containers, ...of.spec.initContainers].find((candidate) => candidate.name === name);
}
