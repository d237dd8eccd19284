/** Recognises why a rollout cannot succeed, in the cluster's own words, and how sure that is. */

import { z } from 'zod';
import type { ProblemCode } from '../problem.ts';
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import type { Pod } from './objects.ts';
import { statusOf, whyNotRunning } from './pod-state.ts';
import type { ReplacementRecord } from './record.ts';
import type { Workload } from './workloads.ts';

/** A reason that ends the wait if it still holds after `patience` milliseconds; some pass by themselves. */
export interface Failure {
  readonly code: Extract<ProblemCode, 'rollout-failed' | 'image-pull-failed' | 'quota-exceeded'>;
  readonly why: string;
  readonly patience: number;
  /** The same for the same trouble, though `why` counts on. */
  readonly key: string;
}

const atOnce = 0;
const soon = 5000;
const afterWhile = 20_000;

/** What each waiting reason of the agent's container means. Source: kubelet, pkg/kubelet/images and kuberuntime. */
const waitingReasons: Readonly<Record<string, Pick<Failure, 'code' | 'patience'>>> = {
  ErrImageNeverPull: { code: 'image-pull-failed', patience: atOnce },
  InvalidImageName: { code: 'image-pull-failed', patience: atOnce },
  ErrImagePull: { code: 'image-pull-failed', patience: soon },
  ImagePullBackOff: { code: 'image-pull-failed', patience: atOnce },
  ImageInspectError: { code: 'image-pull-failed', patience: soon },
  CrashLoopBackOff: { code: 'rollout-failed', patience: atOnce },
  CreateContainerConfigError: { code: 'rollout-failed', patience: soon },
  CreateContainerError: { code: 'rollout-failed', patience: soon },
  RunContainerError: { code: 'rollout-failed', patience: soon },
};

/** Why this pod will not run; `container` is the one that matters. undefined: nothing speaks against it yet. */
export function podFailure(pod: Pod, container: string): Failure | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) return undefined;
  const failure = (code: Failure['code'], patience: number, reason: string): Failure => ({
    code,
    patience,
    why: `Pod ${pod.metadata.name}: ${whyNotRunning(pod, container)}`,
    key: `${pod.metadata.uid} ${reason}`,
  });
  const scheduled = pod.status.conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return failure('rollout-failed', afterWhile, scheduled.reason);
  const reason = statusOf(pod, container)?.state.waiting?.reason ?? '';
  const known = waitingReasons[reason];
  if (known) return failure(known.code, known.patience, reason);
  // A bare pod with restartPolicy Never is not started again.
  if (pod.status.phase === 'Failed') return failure('rollout-failed', atOnce, 'Failed');
  const others = [...pod.status.containerStatuses, ...pod.status.initContainerStatuses];
  const other = others.find(({ name, state }) => name !== container && waitingReasons[state.waiting?.reason ?? '']);
  return other && failure('rollout-failed', afterWhile, other.name);
}

/** Why the controller makes no pods or gives up, from its conditions; for kinds without conditions see `refusedPods`. */
export function controllerFailure(workload: Workload): Failure | undefined {
  if (workload.kind === 'Pod') return undefined;
  const { metadata, status } = workload.object;
  if (status.observedGeneration < metadata.generation) return undefined;
  const refused = status.conditions.find((each) => each.type === 'ReplicaFailure' && each.status === 'True');
  if (refused) return fromCreation(refused.message);
  const progress = status.conditions.find(({ type }) => type === 'Progressing');
  if (progress?.reason !== 'ProgressDeadlineExceeded') return undefined;
  return { code: 'rollout-failed', why: progress.message, patience: atOnce, key: progress.reason };
}

const eventSchema = z.looseObject({
  reason: z.string().default(''),
  message: z.string().default(''),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  series: z.looseObject({ lastObservedTime: z.string().nullish() }).nullish(),
});
const eventsSchema = z.looseObject({ items: z.array(eventSchema).nullish() });

/** The newest FailedCreate event of the workload since the replacement; undefined also if events may not be read. */
export async function refusedPods(
  cluster: Cluster,
  record: ReplacementRecord,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(record.workload.namespace)}/events`;
  const query = { fieldSelector: `involvedObject.uid=${record.workload.uid},reason=FailedCreate` };
  const list = await unless([403], cluster.api.request({ method: 'GET', path, query, signal }, eventsSchema));
  const planned = Date.parse(record.plannedAt);
  const newest = (list?.items ?? [])
    .map((event) => ({
      event,
      time: Date.parse(event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? ''),
    }))
    .filter(({ time }) => time >= planned - 1000)
    .sort((a, b) => b.time - a.time)[0];
  return newest && fromCreation(newest.event.message);
}

/** The last lines that a crashed agent wrote; empty if logs may not be read. */
export async function lastLogLines(
  cluster: Cluster,
  record: ReplacementRecord,
  pod: Pod,
  signal: AbortSignal,
): Promise<string> {
  const { name, namespace } = pod.metadata;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log`;
  const query = { container: record.container, tailLines: 5, previous: true };
  const lines: string[] = [];
  try {
    for await (const line of cluster.api.lines({ method: 'GET', path, query, signal })) if (line) lines.push(line);
  } catch {
    signal.throwIfAborted();
  }
  return lines.join('\n');
}

/** The API server refuses pods: a quota may be freed by the old pods, so it gets a moment. */
function fromCreation(message: string): Failure {
  const quota = /exceeded quota/.test(message);
  return { code: quota ? 'quota-exceeded' : 'rollout-failed', why: message, patience: soon, key: 'FailedCreate' };
}
