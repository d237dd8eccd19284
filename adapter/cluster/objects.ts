/**
 * The parts of Kubernetes objects that this folder reads, checked at the edge.
 * Loose schemas: fields that are not named here are kept, because an undo must not lose what it does not know.
 */
import { z } from 'zod';

const labelsSchema = z.record(z.string(), z.string());

const metadataSchema = z.looseObject({
  name: z.string(),
  namespace: z.string().default(''),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.number().default(0),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: labelsSchema.default({}),
  annotations: labelsSchema.default({}),
  ownerReferences: z
    .array(
      z.looseObject({ kind: z.string(), name: z.string(), uid: z.string(), controller: z.boolean().default(false) }),
    )
    .default([]),
});

// Nothing inside a pod template has a default here: templates are written back as they were read.
const portSchema = z.looseObject({
  name: z.string().optional(),
  containerPort: z.number(),
  protocol: z.string().optional(),
});

const containerSchema = z.looseObject({
  name: z.string(),
  image: z.string().optional(),
  ports: z.array(portSchema).optional(),
  restartPolicy: z.string().optional(),
});

const podSpecSchema = z.looseObject({
  containers: z.array(containerSchema),
  initContainers: z.array(containerSchema).optional(),
  hostNetwork: z.boolean().optional(),
  nodeSelector: labelsSchema.optional(),
  os: z.looseObject({ name: z.string() }).optional(),
  terminationGracePeriodSeconds: z.number().optional(),
});

export const templateSchema = z.looseObject({
  metadata: z.looseObject({ labels: labelsSchema.optional(), annotations: labelsSchema.optional() }).optional(),
  spec: podSpecSchema,
});

const terminatedSchema = z.looseObject({
  exitCode: z.number().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
});

const containerStatusSchema = z.looseObject({
  name: z.string(),
  ready: z.boolean().default(false),
  restartCount: z.number().default(0),
  state: z
    .looseObject({
      running: z.looseObject({}).optional(),
      waiting: z.looseObject({ reason: z.string().default(''), message: z.string().default('') }).optional(),
      terminated: terminatedSchema.optional(),
    })
    .default({}),
  lastState: z.looseObject({ terminated: terminatedSchema.optional() }).default({}),
});

const conditionSchema = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(''),
  message: z.string().default(''),
});

export const podSchema = z.looseObject({
  metadata: metadataSchema,
  spec: podSpecSchema,
  status: z
    .looseObject({
      phase: z.string().default('Unknown'),
      reason: z.string().default(''),
      message: z.string().default(''),
      conditions: z.array(conditionSchema).default([]),
      containerStatuses: z.array(containerStatusSchema).default([]),
      initContainerStatuses: z.array(containerStatusSchema).default([]),
    })
    .prefault({}),
});

const labelSelectorSchema = z.looseObject({
  matchLabels: labelsSchema.optional(),
  matchExpressions: z
    .array(z.looseObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
    .optional(),
});

/** A number of pods, or a share of them such as 25%. */
const podsOrPercent = z.union([z.number(), z.string()]);

/** A Deployment, StatefulSet or DaemonSet. */
export const controllerSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    replicas: z.number().optional(),
    paused: z.boolean().optional(),
    selector: labelSelectorSchema,
    template: templateSchema,
    strategy: z
      .looseObject({
        type: z.string().optional(),
        rollingUpdate: z
          .looseObject({ maxSurge: podsOrPercent.optional(), maxUnavailable: podsOrPercent.optional() })
          .optional(),
      })
      .optional(),
    updateStrategy: z
      .looseObject({
        type: z.string().optional(),
        rollingUpdate: z.looseObject({ partition: z.number().optional() }).optional(),
      })
      .optional(),
  }),
  status: z
    .looseObject({
      observedGeneration: z.number().default(0),
      desiredNumberScheduled: z.number().default(0),
      conditions: z.array(conditionSchema).default([]),
    })
    .prefault({}),
});

export const serviceSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    type: z.string().default('ClusterIP'),
    clusterIP: z.string().default(''),
    clusterIPs: z.array(z.string()).default([]),
    externalName: z.string().optional(),
    publishNotReadyAddresses: z.boolean().default(false),
    selector: labelsSchema.default({}),
    ports: z
      .array(
        z.looseObject({
          name: z.string().default(''),
          port: z.number(),
          protocol: z.string().default('TCP'),
          targetPort: z.union([z.number(), z.string()]).optional(),
        }),
      )
      .default([]),
  }),
});

/** Go writes null for an empty list. */
const nullableList = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

export const endpointSliceSchema = z.looseObject({
  metadata: metadataSchema,
  /** IPv4, IPv6 or FQDN. */
  addressType: z.string(),
  endpoints: nullableList(
    z.looseObject({
      addresses: z.array(z.string()),
      hostname: z.string().nullish(),
      // Not known counts as ready.
      conditions: z.looseObject({ ready: z.boolean().nullish() }).prefault({}),
      targetRef: z.looseObject({ kind: z.string().default(''), name: z.string().default('') }).nullish(),
    }),
  ),
  ports: nullableList(
    z.looseObject({
      name: z.string().nullish(),
      port: z.number().nullish(),
      protocol: z.string().nullish(),
    }),
  ),
});

export const leaseSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z
    .looseObject({
      holderIdentity: z.string().default(''),
      leaseDurationSeconds: z.number().default(0),
      acquireTime: z.string().default(''),
      renewTime: z.string().default(''),
    })
    .prefault({}),
});

export const ownedSchema = z.looseObject({ metadata: metadataSchema });

export type Pod = z.infer<typeof podSchema>;
export type PodTemplate = z.infer<typeof templateSchema>;
export type Container = z.infer<typeof containerSchema>;
export type Controller = z.infer<typeof controllerSchema>;
export type Service = z.infer<typeof serviceSchema>;
export type EndpointSlice = z.infer<typeof endpointSliceSchema>;
export type Lease = z.infer<typeof leaseSchema>;
export type LabelSelector = z.infer<typeof labelSelectorSchema>;

/** A list answer: its resourceVersion is where a watch goes on. */
export function listSchema<T extends z.ZodType>(item: T) {
  return z.looseObject({
    metadata: z.looseObject({ resourceVersion: z.string().default(''), continue: z.string().optional() }).prefault({}),
    items: z
      .array(item)
      .nullable()
      .transform((items) => items ?? []),
  });
}

/** An answer of which nothing is used: a DELETE's (the object or a Status), a dry run's (an object without identity). */
export const unusedSchema = z.looseObject({});
