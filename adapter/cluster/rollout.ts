/** Waits until the agent runs everywhere, and afterwards until the original does; says what it waits for and why it fails. */
import { isDeepStrictEqual } from 'node:util';
import { Problem } from '../problem.ts';
import { deleteAgentPods, isAgentPod } from './agent-pods.ts';
import { sessionAnnotation } from './annotations.ts';
import { currentValue, describeChange, differences } from './changes.ts';
import type { Cluster } from './cluster.ts';
import { controllerFailure, type Failure, lastLogLines, podFailure, refusedPods } from './failures.ts';
import { display } from './kinds.ts';
import { saysNamespaceEnds } from './namespace-state.ts';
import type { Pod } from './objects.ts';
import { type Observation, observe } from './observe.ts';
import { Patience } from './patience.ts';
import { hasEnded, isReady, whyNotRunning } from './pod-state.ts';
import type { ReplacementRecord } from './record.ts';
import { removeAgentRevisions } from './revisions.ts';
import { isPaused } from './workload-changes.ts';
import { desiredReplicas, templateOf, type Workload } from './workloads.ts';

/** Milliseconds without any change of any pod after which waiting has no sense. */
const longestStandstill = 120_000;

/** Milliseconds for which the original may be in trouble after the undo: some troubles pass. */
const longestTrouble = 30_000;

/** Somebody else deleted the workload while the agent was put in: the undo must not bring it back. */
export class WorkloadDeleted extends Problem {
  constructor(record: ReplacementRecord) {
    super(failed(record, 'rollout-failed', 'It was deleted by somebody else.').toJSON());
  }
}

/**
 * Resolves when every replica runs the agent and is ready (a tunnel to it lives) and no old pod serves any more.
 * Problems rollout-failed (WorkloadDeleted among them), image-pull-failed, quota-exceeded, with the cluster's own reason.
 */
export async function awaitReplacement(
  cluster: Cluster,
  record: ReplacementRecord,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const patience = new Patience();
  const say = whenChanged(onProgress);
  for await (const { workload, pods } of observe(cluster, record, signal)) {
    if (!workload) throw new WorkloadDeleted(record);
    assertStillOurs(record, workload);
    const living = pods.filter((pod) => !hasEnded(pod) || record.workload.kind === 'Pod');
    const agents = living.filter((pod) => isAgentPod(record, pod));
    const old = living.filter((pod) => !isAgentPod(record, pod) && pod.metadata.deletionTimestamp === undefined);
    const ready = agents.filter(isReady).length;
    const wanted = desiredReplicas(workload);
    if (wanted === 0 && isObserved(workload)) throw failed(record, 'rollout-failed', 'It was scaled to 0 meanwhile.');
    if (ready >= wanted && old.length === 0 && isObserved(workload)) return;
    const failure = await findFailure(cluster, record, workload, agents, living.length < wanted, signal);
    if (failure && patience.isOver(failure.key, failure.patience)) {
      const lines = failure.pod ? await lastLogLines(cluster, record, failure.pod, signal) : '';
      throw failed(record, failure.code, lines ? `${failure.why}\nIts last words:\n${lines}` : failure.why);
    }
    const waiting = agents.find((pod) => !isReady(pod)) ?? old[0];
    if (patience.isOver(fingerprint(pods), longestStandstill)) {
      const state = waiting ? describe(waiting, record) : 'its pods do not appear';
      throw failed(record, 'rollout-failed', `Nothing has changed for ${longestStandstill / 1000} s: ${state}.`);
    }
    say(
      `The agent is ready in ${ready} of ${wanted} pods of ${display(record.workload)}${waiting ? ` (${describe(waiting, record)})` : ''}`,
    );
  }
}

/**
 * Resolves when the original runs everywhere again, no agent pod is left, nothing of the replacement stands and the history
 * has no revision with the agent. A workload that is gone or made anew by somebody, and one whose namespace is being deleted,
 * is waited for only as far as the agent's pods go; so is a bare pod that is not to be made again (`gone`).
 * Problem undo-incomplete says what is missing.
 */
export async function awaitRestored(
  cluster: Cluster,
  record: ReplacementRecord,
  onProgress: (text: string) => void,
  signal: AbortSignal,
  gone = false,
): Promise<void> {
  const patience = new Patience();
  const say = whenChanged(onProgress);
  for await (const { workload, pods } of observe(cluster, record, signal)) {
    if (!workload) {
      if (record.workload.kind === 'Pod' && !gone) throw incomplete(record, 'The original pod is not there.');
      await removeAgentRevisions(cluster, record, undefined, signal);
      await deleteAgentPods(cluster, record, signal);
      return;
    }
    const holder = workload.object.metadata.annotations[sessionAnnotation];
    if (holder !== undefined && holder !== record.session) return;
    if (gone && record.workload.kind === 'Pod') return;
    const left = leftOver(record, workload);
    if (left.length > 0) throw incomplete(record, `Still changed: ${left.join(', ')}.`);
    const agents = pods.filter((pod) => isAgentPod(record, pod));
    const originals = pods.filter((pod) => !isAgentPod(record, pod));
    const ready = originals.filter(isReady).length;
    const wanted = isSame(record, workload) ? Math.min(record.readyBefore, desiredReplicas(workload)) : 0;
    if (agents.length === 0 && ready >= wanted && isObserved(workload)) {
      await removeAgentRevisions(cluster, record, workload, signal);
      for (const note of foreignChanges(record, workload)) say(note);
      return;
    }
    if (isPaused(workload)) {
      const resume = `kubectl rollout resume ${display(record.workload)} -n ${record.workload.namespace}`;
      throw incomplete(
        record,
        `Its definition is as it was, but somebody paused it: it makes no pods until "${resume}".`,
      );
    }
    // Its controller may have made a pod from the agent's template once more, not yet knowing of the undo.
    if (record.workload.kind === 'StatefulSet') await deleteAgentPods(cluster, record, signal);
    const refusal = await refusalOf(cluster, record, workload, originals.length < wanted, signal);
    if (refusal) {
      if (saysNamespaceEnds(refusal.why)) return;
      if (patience.isOver(refusal.key, longestTrouble)) {
        throw incomplete(record, `Its definition is as it was, but the cluster makes no pods of it. ${refusal.why}`);
      }
    }
    for (const pod of originals) {
      const failure = podFailure(pod, record.container);
      if (failure && patience.isOver(failure.key, longestTrouble)) {
        const [foreign] = foreignChanges(record, workload);
        const whose = foreign ?? 'Its definition is as it was';
        throw incomplete(record, `${whose}. It does not run. ${failure.why}.`);
      }
    }
    const waiting = originals.find((pod) => !isReady(pod)) ?? agents[0];
    const state = waiting ? describe(waiting, record) : 'its pods do not appear';
    if (patience.isOver(fingerprint(pods), longestStandstill)) {
      throw incomplete(
        record,
        `The definition is as it was, but nothing has changed for ${longestStandstill / 1000} s: ${state}.`,
      );
    }
    say(`The original is ready in ${ready} of ${wanted} pods of ${display(record.workload)} (${state})`);
  }
}

/** Whether it is the workload that the session replaced, not another one of its name. */
function isSame(record: ReplacementRecord, workload: Workload): boolean {
  return workload.kind === 'Pod' || workload.object.metadata.uid === record.workload.uid;
}

/** Why its controller can make no pods; events are asked for only where the controller itself does not tell. */
async function refusalOf(
  cluster: Cluster,
  record: ReplacementRecord,
  workload: Workload,
  podsAreMissing: boolean,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const failure = controllerFailure(workload);
  if (failure || !podsAreMissing || workload.kind === 'Pod' || workload.kind === 'Deployment') return failure;
  return await refusedPods(cluster, record, signal);
}

async function findFailure(
  cluster: Cluster,
  record: ReplacementRecord,
  workload: Workload,
  agents: readonly Pod[],
  podsAreMissing: boolean,
  signal: AbortSignal,
): Promise<(Failure & { readonly pod?: Pod }) | undefined> {
  for (const pod of agents) {
    const failure = podFailure(pod, record.container);
    if (failure) return { ...failure, pod };
  }
  return await refusalOf(cluster, record, workload, podsAreMissing, signal);
}

/** Whether the controller has seen the last change of its object: before that its pods and counts mean nothing. */
function isObserved(workload: Workload): boolean {
  if (workload.kind === 'Pod') return true;
  return workload.object.status.observedGeneration >= workload.object.metadata.generation;
}

function assertStillOurs(record: ReplacementRecord, workload: Workload): void {
  const template = templateOf(workload);
  const foreign = record.changes.filter(
    (change) => !isDeepStrictEqual(currentValue(template, record.container, change), change.after),
  );
  if (foreign.length === 0) return;
  const fields = foreign.map((change) => describeChange(record.container, change)).join(', ');
  throw failed(record, 'rollout-failed', `Somebody else changed it meanwhile: ${fields}.`);
}

/** What of ours still stands, though it was to be undone. */
function leftOver(record: ReplacementRecord, workload: Workload): readonly string[] {
  const template = templateOf(workload);
  return record.changes
    .filter((change) => isDeepStrictEqual(currentValue(template, record.container, change), change.after))
    .map((change) => describeChange(record.container, change));
}

/** Other differences from the original are somebody else's work, kept, and worth a word. */
function foreignChanges(record: ReplacementRecord, workload: Workload): readonly string[] {
  if (workload.kind === 'Pod') return [];
  const paths = differences(record.original, templateOf(workload));
  return paths.length === 0
    ? []
    : [`Somebody else changed ${display(record.workload)} meanwhile; kept: ${paths.join(', ')}`];
}

function describe(pod: Pod, record: ReplacementRecord): string {
  const why = whyNotRunning(pod, record.container);
  return `${pod.metadata.name}: ${why === 'Running' && !isReady(pod) ? 'not ready yet' : why}`;
}

function fingerprint(pods: Observation['pods']): string {
  return pods
    .map(({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`)
    .sort()
    .join();
}

function failed(record: ReplacementRecord, code: Failure['code'], why: string): Problem {
  const remedy = {
    'rollout-failed': 'Everything is being undone. Remove the cause and start again.',
    'image-pull-failed': `Make the image ${record.image} available to the cluster's nodes, or name another one. Everything is being undone.`,
    'quota-exceeded': 'Free some of the quota, or ask the cluster administrator for more. Everything is being undone.',
  }[code];
  return new Problem({ code, what: `The agent does not come up in ${display(record.workload)}.`, why, remedy });
}

function incomplete(record: ReplacementRecord, why: string): Problem {
  return new Problem({
    code: 'undo-incomplete',
    what: `${display(record.workload)} is not yet as it was.`,
    why,
    remedy: 'Run "kubernetes-local restore" when the cause is gone; it goes on where this stopped.',
  });
}

function whenChanged(onProgress: (text: string) => void): (text: string) => void {
  let last = '';
  return (text) => {
    if (text !== last) onProgress(text);
    last = text;
  };
}
