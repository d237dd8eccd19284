/**
 * What the clients of a session (debug adapter, CLI) and its daemon say to each other, over vscode-jsonrpc on a
 * Unix socket or named pipe. Both ends validate with these schemas.
 */
import { NotificationType, NotificationType0, RequestType, RequestType0, ResponseError } from 'vscode-jsonrpc/node';
import { z } from 'zod';
import { Problem, type ProblemData } from '../problem.ts';
import type { Question } from './questions/ask.ts';
import { heldPolicies } from './questions/held-question.ts';
import { timingSchema } from './timings.ts';

/** Rises when an old client and a new daemon would misunderstand each other. */
export const sessionProtocolVersion = 7;

export const helloSchema = z.object({ version: z.int(), token: z.string() });
export type Hello = z.infer<typeof helloSchema>;

const portNumber = z.int().min(1).max(65535);
const externalEndpoint = z.object({ host: z.string(), port: portNumber, protocol: z.literal('UDP').optional() });

export const connectRequestSchema = z.object({
  target: z.string(),
  container: z.string().optional(),
  context: z.string(),
  namespace: z.string(),
  /** The kubeconfig path list of the client: the daemon may have been started by another one. */
  kubeconfig: z.string().optional(),
  /** Container port (number or name) → local port. */
  ports: z.record(z.string(), portNumber),
  agentImage: z.string(),
  network: z.enum(['auto', 'hosts', 'namespace', 'env']),
  /** Namespaces whose Services are to be reachable too. */
  otherNamespaces: z.array(z.string()),
  onPortConflict: z.enum(['ask', 'fail', 'other-port', 'stop']),
  onHeld: z.enum(heldPolicies),
  /** Milliseconds for which it is waited for; without end if it is missing. */
  waitLimit: z.int().nonnegative().optional(),
  elevate: z.enum(['ask', 'never', 'allow']),
  /** Whether something in the cluster undoes the session if this computer vanishes, and after how many seconds. */
  reaper: z.enum(['auto', 'require', 'never']),
  reaperDelay: z.int(),
  /** Reached through the cluster, by a name that only pods may know. */
  externalEndpoints: z.array(externalEndpoint),
  /** What to do about a variable or volume that cannot be had. */
  onUnresolved: z.enum(['fail', 'leave-out']),
  /** Whether the image's own variables are read, by exec. */
  fromImage: z.boolean(),
  volumes: z.object({
    copy: z.enum(['auto', 'never']),
    /** Bytes for each volume. */
    limit: z.int().nonnegative(),
    /** Mount paths whose changes are sent to the pod. */
    writeBack: z.array(z.string()),
    /** Mount path → absolute path of a link to it on this computer. */
    localPaths: z.record(z.string(), z.string()),
    /** The same for volumes by name, which may hold `*`; one that cannot be made is told. */
    namedPaths: z.array(z.object({ name: z.string(), localPath: z.string() })),
  }),
  /** What of the container stays on the agent, and whether a managed identity is to be reached. */
  keep: z.object({ probes: z.boolean(), lifecycle: z.boolean() }),
  managedIdentity: z.boolean(),
  /** The header that tells the program who calls; absent: none. */
  proxyProtocol: z.enum(['v1', 'v2']).optional(),
  /** Where the program is: a volume of the pod must not hide it. */
  folder: z.string(),
  /** The client will start the program itself, so its ports have to be free. */
  startsProgram: z.boolean(),
  clientPid: z.int(),
});
/** What a client asks a session to be. Clients of one session must agree on what `optionsOf` holds. */
export type ConnectRequest = z.infer<typeof connectRequestSchema>;

const reachableService = z.object({
  name: z.string(),
  address: z.string(),
  names: z.array(z.string()),
  /** The Service's own ports, TCP first, and where each of them is at the address. */
  ports: z.array(z.object({ port: portNumber, localPort: portNumber, protocol: z.literal('UDP').optional() })),
  /** Where it leads to in the cluster: an address or a name. */
  leadsTo: z.string(),
});
const endpoint = z.object({ address: z.string(), port: z.int() });
/** Connections from the cluster that are open now. */
const callersSchema = z.object({
  /** All of them. */
  open: z.int(),
  /** Some of them, the newest first. */
  newest: z.array(
    z.object({
      /** Its end in the cluster; the address may be empty. */
      source: endpoint,
      /** The pod with that address, if it is one of the session's namespace. */
      name: z.string().optional(),
      /** The pod of the workload that was called. */
      pod: z.string(),
      containerPort: portNumber,
      /** Whom the program takes for the caller. */
      seenAs: endpoint,
      /** ISO 8601 */
      since: z.string(),
    }),
  ),
});
export type CallersStatus = z.infer<typeof callersSchema>;

const networkSchema = z.object({
  mode: z.enum(['hosts', 'namespace', 'env']),
  /** Why this one, in a sentence. */
  reason: z.string(),
  /** Where a program has to be started to see the names; undefined if anywhere on this computer. */
  place: z.object({ prefix: z.array(z.string()), dialSocket: z.string() }).optional(),
});

const variableSchema = z.object({ name: z.string(), value: z.string(), origin: z.string(), secret: z.boolean() });
const mountSchema = z.object({
  mountPath: z.string(),
  volume: z.string(),
  kind: z.enum([
    'configMap',
    'secret',
    'projected',
    'downwardAPI',
    'emptyDir',
    'persistentVolumeClaim',
    'hostPath',
    'other',
  ]),
  /** Where it is on this computer; undefined if it is left out, and `note` says why. */
  localPath: z.string().optional(),
  /** A link of the user's choice that leads there. */
  link: z.string().optional(),
  readOnly: z.boolean(),
  note: z.string().optional(),
});

export const connectionSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('connected'),
    session: z.string(),
    workload: z.string(),
    container: z.string(),
    pods: z.array(z.string()),
    network: networkSchema,
    environment: z.array(variableSchema),
    mounts: z.array(mountSchema),
    /** The folder beneath which every mount is at its own path; undefined if there is none. */
    mountsFolder: z.string().optional(),
    externalEndpoints: z.array(externalEndpoint),
    services: z.array(reachableService),
    ports: z.array(z.object({ containerPort: portNumber, localPort: portNumber })),
    /** Whose session this one shares, read-only: `anna on laptop`. */
    guestOf: z.string().optional(),
    log: z.string(),
  }),
  /** The daemon is undoing its last session: connect again when it has closed the socket. */
  z.object({ kind: z.literal('ending') }),
]);
/** The session that stands, for those who only look; null if there is none. */
export const standingSchema = connectionSchema.options[0].nullable();
/** A session that stands: everything that a client needs to start the program. */
export type Connection = Extract<z.infer<typeof connectionSchema>, { kind: 'connected' }>;
/** A session that stands, or word that one is just ending. */
export type ConnectAnswer = z.infer<typeof connectionSchema>;

const keepSchema = z.discriminatedUnion('for', [
  /** The client starts the program again: the session waits for its next client, for at most `ms`. */
  z.object({ for: z.literal('restart'), ms: z.int().nonnegative() }),
  /** The client leaves the program running: the session stands until it has ended. */
  z.object({ for: z.literal('program') }),
  /** The user wants it to stand until he ends it, for at most `ms`. A later one takes the place of an earlier one. */
  z.object({ for: z.literal('hold'), ms: z.int().nonnegative() }),
]);
/** What a session stands on for when its last client has left. */
export type Keep = z.infer<typeof keepSchema>;

export const leaveSchema = z.object({ budget: z.int().nonnegative(), keep: keepSchema.optional() });
export type Leave = z.infer<typeof leaveSchema>;

/** How an end of a session looked when its budget was over. `kept`: it stands on, for other clients or as asked for. */
export const endingSchema = z.enum(['undone', 'finishing', 'kept']);
export type Ending = z.infer<typeof endingSchema>;

const keptSchema = z.discriminatedUnion('for', [
  z.object({ for: z.literal('restart') }),
  z.object({ for: z.literal('program'), pids: z.array(z.int()) }),
  /** `until`: when it ends by itself, in ISO 8601. */
  z.object({ for: z.literal('hold'), until: z.string() }),
]);
/** What a session stands for without a client. */
export type Kept = z.infer<typeof keptSchema>;

export const releaseSchema = z.object({
  /** Whether a hold ends too, at once or `after` so many milliseconds in which nobody has joined. */
  hold: z.boolean(),
  after: z.int().nonnegative().optional(),
});
export type Release = z.infer<typeof releaseSchema>;
/** `held` and `in-use`: it stands on, by the user's wish or for its clients. `later`: it ends when the time is over. */
export const releasedSchema = z.enum(['ended', 'later', 'held', 'in-use']);
export type Released = z.infer<typeof releasedSchema>;

export const statusSchema = z.object({
  state: z.enum(['idle', 'connecting', 'connected', 'undoing', 'ended']),
  session: z.string(),
  pid: z.int(),
  started: z.string(),
  clients: z.array(z.int()),
  kept: z.array(keptSchema),
  connection: z
    .object({
      workload: z.string(),
      container: z.string(),
      pods: z.array(
        z.object({
          name: z.string(),
          roundTripTime: z.number().optional(),
          /** Whether its agent has been heard of in the last seconds; absent in daemons of older versions. */
          answering: z.boolean().optional(),
          streams: z.int(),
        }),
      ),
      /** Who calls now; absent in sessions that get no requests, and in daemons of older versions. */
      callers: callersSchema.optional(),
      /** What of the road to the cluster does not work now; its pods are not in the list above. ISO 8601. */
      outage: z.object({ since: z.string(), why: z.string() }).optional(),
      network: networkSchema,
      services: z.array(reachableService),
      /** What cannot be reached from here, and why. */
      leftOut: z.array(z.object({ name: z.string(), names: z.array(z.string()), why: z.string() })),
      ports: z.array(z.object({ containerPort: portNumber, localPort: portNumber })),
      /** Whose session this one shares: `anna on laptop`. */
      guestOf: z.string().optional(),
      /** Who shares this one: `boris on desk`. */
      guests: z.array(z.string()).optional(),
      /** What becomes of the session if this computer vanishes, in full sentences. */
      ifVanished: z.string().optional(),
      /** The privileged helper, if there is one. */
      helper: z.object({ pid: z.int() }).optional(),
      /** The hosts file, if names stand in it. */
      hostsFile: z.string().optional(),
    })
    .optional(),
  problem: z.string().optional(),
});
/** What `kubernetes-local status` shows of one session. */
export type Status = z.infer<typeof statusSchema>;

export const progressSchema = z.object({ text: z.string() });
export const noticeSchema = z.object({ level: z.enum(['info', 'warning']), text: z.string() });
/** Something a user should know while the session stands. */
export type Notice = z.infer<typeof noticeSchema>;
/**
 * A process of a debug session. Should the client be killed, the daemon ends its `debugger`s (debug adapters) and its
 * `program`s, with all that they started. An `attached` program is not ours to end.
 */
export const processSchema = z.object({ pid: z.int().positive(), role: z.enum(['debugger', 'program', 'attached']) });
export type ReportedProcess = z.infer<typeof processSchema>;
export type ProcessRole = ReportedProcess['role'];

export const helloRequest = new RequestType<Hello, null, ProblemData>('session/hello');
export const connectRequest = new RequestType<ConnectRequest, ConnectAnswer, ProblemData>('session/connect');
export const leaveRequest = new RequestType<Leave, Ending, ProblemData>('session/leave');
export const standingRequest = new RequestType0<Connection | null, ProblemData>('session/standing');
export const statusRequest = new RequestType0<Status, ProblemData>('session/status');
export const processNotification = new NotificationType<ReportedProcess>('session/process');
/** Where the daemon's time of a connect or disconnect went; comes before the answer that ends it. */
export const timingsSchema = z.object({ of: z.enum(['connect', 'disconnect']), timing: timingSchema });
export type Timings = z.infer<typeof timingsSchema>;
export const timingsNotification = new NotificationType<Timings>('session/timings');
/** The client has ended its processes, or means to; a socket that closes without this word is one of a killed client. */
export const goodbyeRequest = new RequestType0<null, ProblemData>('session/goodbye');
/** Ends a session that stands without a client. */
export const releaseRequest = new RequestType<Release, Released, ProblemData>('session/release');
export const progressNotification = new NotificationType<z.infer<typeof progressSchema>>('session/progress');
export const noticeNotification = new NotificationType<Notice>('session/notice');
/** The daemon's last word to each client, so that its answers before it are on their way too. */
export const endedNotification = new NotificationType0('session/ended');
/** A question to the user of the client, see ask.ts. */
export const askRequest = new RequestType<Question, string, ProblemData>('session/ask');
export const lostNotification = new NotificationType<ProblemData>('session/lost');

/** Any thrown value as the error that travels over the socket. */
export function toResponseError(error: unknown): ResponseError<ProblemData> {
  const problem = Problem.from(error);
  return new ResponseError(problem.dapId, problem.message, problem.toJSON());
}

/** The Problem inside an error that came over the socket; other errors stay as they are. */
export function fromResponseError(error: unknown): unknown {
  if (error instanceof ResponseError && Problem.isData(error.data)) return new Problem(error.data);
  return error;
}
