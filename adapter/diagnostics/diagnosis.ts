/**
 * The one report behind "show diagnostic information": what a session is, what it has changed, and what it looks like from
 * inside. It holds no value of a secret: who makes one sees to that with `masked` and the log's redactor.
 */
import { z } from 'zod';
import type { Redactor } from './redactor.ts';

const port = z.int().min(1).max(65535);

const variableSchema = z.object({
  name: z.string(),
  /** Of a secret only how long it is. */
  value: z.string(),
  /** Where the value comes from, in words. */
  origin: z.string(),
  secret: z.boolean(),
});

const nameSchema = z.object({
  label: z.string(),
  names: z.array(z.string()),
  /** Undefined where it is left out. */
  address: z.string().optional(),
  /** The Service's port, where it is at the address, and whether something listens there; undefined if that is not known. */
  ports: z.array(
    z.object({ port, localPort: port, protocol: z.literal('UDP').optional(), listening: z.boolean().optional() }),
  ),
  leadsTo: z.string().optional(),
  state: z.enum(['open', 'left out']),
  /** How many pods would answer; undefined if that is not known. */
  readyEndpoints: z.int().optional(),
  why: z.string().optional(),
});

const mountSchema = z.object({
  mountPath: z.string(),
  volume: z.string(),
  kind: z.string(),
  /** Where it is on this computer; undefined if it is left out. */
  localPath: z.string().optional(),
  readOnly: z.boolean(),
  note: z.string().optional(),
});

const portSchema = z.object({
  containerPort: port,
  localPort: port,
  /** The program that listens; undefined if none does. */
  listening: z.object({ pid: z.int(), name: z.string() }).optional(),
});

const tunnelSchema = z.object({
  pod: z.string(),
  /** Milliseconds. */
  roundTripTime: z.number().optional(),
  /** Open now. */
  streams: z.int(),
  /** Opened since the tunnel stands. */
  totalStreams: z.int().optional(),
  /** On the wire: from the pod, and to it. */
  bytesIn: z.number(),
  bytesOut: z.number(),
});

const changeSchema = z.object({
  where: z.enum(['cluster', 'computer']),
  /** What is changed, as a sentence. */
  what: z.string(),
  /** How it is taken back, as a sentence. */
  undo: z.string(),
});
/** Something that a session has changed. */
export type DescribedChange = z.infer<typeof changeSchema>;

const processSchema = z.object({
  role: z.enum(['daemon', 'helper', 'client', 'program', 'agent']),
  /** Of a process of this computer. */
  pid: z.int().optional(),
  /** Of the agent: pod and image. */
  pod: z.string().optional(),
  image: z.string().optional(),
});

const problemSchema = z.object({ code: z.string(), what: z.string(), why: z.string(), remedy: z.string() });

const findingSchema = z.object({
  subject: z.string(),
  outcome: z.enum(['ok', 'limited', 'not possible']),
  text: z.string(),
  remedy: z.string().optional(),
});

export const diagnosisSchema = z.object({
  /** Of this schema. */
  version: z.literal(1),
  /** ISO 8601. */
  taken: z.string(),
  /** `none`: there is no session; `interrupted`: its daemon is gone, and its changes are not undone yet. */
  state: z.enum(['none', 'interrupted', 'idle', 'connecting', 'connected', 'undoing', 'ended']),
  session: z.object({ key: z.string(), id: z.string().optional(), started: z.string().optional() }).optional(),
  versions: z.object({
    kubernetesLocal: z.string(),
    node: z.string(),
    platform: z.string(),
    /** Between clients and daemon, and between daemon and agent. */
    sessionProtocol: z.int(),
    agentProtocol: z.int(),
    cluster: z.string().optional(),
  }),
  place: z
    .object({
      context: z.string(),
      server: z.string().optional(),
      user: z.string().optional(),
      namespace: z.string(),
      target: z.string().optional(),
      workload: z.string().optional(),
      container: z.string().optional(),
    })
    .optional(),
  network: z
    .object({
      mode: z.enum(['hosts', 'namespace', 'env']),
      /** Why this one. */
      reason: z.string(),
      /** Words before a command that make it see the names. */
      prefix: z.array(z.string()),
      hostsFile: z.string().optional(),
    })
    .optional(),
  environment: z.array(variableSchema),
  /** Names that the pod sets to something else and that stay as they are on this computer. */
  kept: z.array(z.string()),
  names: z.array(nameSchema),
  mounts: z.array(mountSchema),
  mountsFolder: z.string().optional(),
  ports: z.array(portSchema),
  tunnels: z.array(tunnelSchema),
  changes: z.array(changeSchema),
  processes: z.array(processSchema),
  /** Undefined if they could not be asked for. */
  rights: z
    .object({
      /** What stands in the way of a session. */
      missing: z.array(z.string()),
      /** What a session works without, and what follows from it. */
      optional: z.array(z.string()),
    })
    .optional(),
  notices: z.array(z.object({ time: z.string().optional(), level: z.enum(['info', 'warning']), text: z.string() })),
  /** The files of the log, the newest first. */
  logs: z.array(z.string()),
  problem: problemSchema.optional(),
  /** Other sessions of this computer whose changes are not undone. */
  leftovers: z.array(z.object({ key: z.string(), what: z.string(), changes: z.array(changeSchema) })),
  /** What the doctor says, where there is no session to look into. */
  findings: z.array(findingSchema),
});
/** What is known of a session, or of this computer where there is none. Plain data. */
export type Diagnosis = z.infer<typeof diagnosisSchema>;

/** A diagnosis of nothing yet. */
export function emptyDiagnosis(
  state: Diagnosis['state'],
  versions: Diagnosis['versions'],
  now: Date = new Date(),
): Diagnosis {
  const lists = { environment: [], kept: [], names: [], mounts: [], ports: [], tunnels: [], changes: [] };
  const more = { processes: [], notices: [], logs: [], leftovers: [], findings: [] };
  return { version: 1, taken: now.toISOString(), state, versions, ...lists, ...more };
}

/** The variables as anybody may see them. */
export function masked(variables: readonly z.infer<typeof variableSchema>[]): Diagnosis['environment'] {
  return variables.map(({ name, value, origin, secret }) => ({
    name,
    value: secret ? `«secret, ${[...value].length} character${[...value].length === 1 ? '' : 's'}»` : value,
    origin,
    secret,
  }));
}

/** Words of ours: a secret that is the same word is none the worse for them. */
const ownWords: ReadonlySet<string> = new Set(['state', 'mode', 'level', 'role', 'outcome', 'where', 'kind', 'code']);

/** The diagnosis with every secret masked that the redactor knows, wherever it has got into. */
export function redacted(diagnosis: Diagnosis, redactor: Redactor): Diagnosis {
  return diagnosisSchema.parse(withTexts(diagnosis, (text) => redactor.redact(text)));
}

/** Plain data with each text changed, but for the words that are ours. */
export function withTexts(data: unknown, change: (text: string, key: string) => string): unknown {
  return JSON.parse(JSON.stringify(data), (key, value: unknown) =>
    typeof value === 'string' && !ownWords.has(key) ? change(value, key) : value,
  );
}
