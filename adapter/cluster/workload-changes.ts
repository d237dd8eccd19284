/** What others have done to a replaced workload, found by comparing what was seen of it. Pure functions. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { agentConfigurationVariable } from '../../agent/protocol.ts';
import { type Author, authorOf, type Step } from './authors.ts';
import { currentValue, describeChange, differences } from './changes.ts';
import { disruptionOf } from './pod-state.ts';
import type { Change, ReplacementRecord } from './record.ts';
import { desiredReplicas, templateOf, type Workload } from './workloads.ts';

/** One thing that somebody did. */
export type WorkloadChange =
  /** `why`: the cluster's own reason, such as an eviction; empty if it is not known. */
  | { readonly kind: 'deleted'; readonly why: string }
  /** Deleted, and made again under the same name. */
  | { readonly kind: 'remade' }
  /** The agent cannot run any longer in pods made from this template. `undone`: all of it is as before the session. */
  | {
      readonly kind: 'agent-removed';
      readonly fields: readonly string[];
      readonly undone: boolean;
      readonly by: Author | undefined;
    }
  | { readonly kind: 'restarted'; readonly by: Author | undefined }
  | { readonly kind: 'scaled'; readonly from: number; readonly to: number; readonly by: Author | undefined }
  /** Variables of the replaced container, by their names. */
  | { readonly kind: 'variables'; readonly names: readonly string[]; readonly by: Author | undefined }
  /** Anything else of the pod template, by its paths. */
  | { readonly kind: 'template'; readonly paths: readonly string[]; readonly by: Author | undefined }
  | { readonly kind: 'paused'; readonly paused: boolean; readonly by: Author | undefined };

/** What `kubectl rollout restart` writes into the pod template. */
const restartAnnotation = 'kubectl.kubernetes.io/restartedAt';
/** Fields that the session sets for other reasons than that the agent could not run without. */
const dispensable = new Set(['imagePullPolicy', 'lifecycle', 'resources', 'securityContext']);

const podSpecFields: readonly Step[] = ['spec', 'template', 'spec'];

/**
 * What happened between two states of the workload. `before`: undefined at the first look, at which only what ends the
 * session is found; `now`: undefined if it is not there.
 */
export function changesOf(
  record: ReplacementRecord,
  before: Workload | undefined,
  now: Workload | undefined,
): readonly WorkloadChange[] {
  if (now === undefined) return [{ kind: 'deleted', why: '' }];
  if (now.object.metadata.deletionTimestamp !== undefined) {
    return [{ kind: 'deleted', why: now.kind === 'Pod' ? disruptionOf(now.object) : '' }];
  }
  const earlier = before ?? now;
  // A bare pod has another uid since the session made it.
  const uid = now.kind === 'Pod' ? earlier.object.metadata.uid : record.workload.uid;
  if (now.object.metadata.uid !== uid) return [{ kind: 'remade' }];
  const removed = agentRemoved(record, earlier, now);
  if (removed) return [removed];
  if (now.kind === 'Pod') return [];
  return [...scaled(earlier, now), ...paused(earlier, now), ...templateChanges(record, earlier, now)];
}

/** Whether the session cannot go on after this. */
export function endsSession(change: WorkloadChange): boolean {
  return change.kind === 'deleted' || change.kind === 'remade' || change.kind === 'agent-removed';
}

function agentRemoved(record: ReplacementRecord, before: Workload, now: Workload): WorkloadChange | undefined {
  const template = templateOf(now);
  const foreign = record.changes.filter(
    (change) => !isDeepStrictEqual(currentValue(template, record.container, change), change.after),
  );
  const needed = foreign.filter(({ at, ...change }) => at !== 'container' || !isDispensable(change));
  const [first] = needed;
  if (first === undefined) return undefined;
  return {
    kind: 'agent-removed',
    fields: needed.map((change) => describeChange(record.container, change)),
    undone: record.changes.every((change) =>
      isDeepStrictEqual(currentValue(template, record.container, change), change.before),
    ),
    by: authorOf(before.object.metadata, now.object.metadata, placeOf(record.container, first)),
  };
}

function isDispensable(change: object): boolean {
  return 'field' in change && typeof change.field === 'string' && dispensable.has(change.field);
}

function scaled(before: Workload, now: Workload): readonly WorkloadChange[] {
  // How many nodes there are is nobody's wish.
  if (now.kind === 'DaemonSet') return [];
  const [from, to] = [desiredReplicas(before), desiredReplicas(now)];
  if (from === to) return [];
  return [
    { kind: 'scaled', from, to, by: authorOf(before.object.metadata, now.object.metadata, ['spec', 'replicas']) },
  ];
}

function paused(before: Workload, now: Workload): readonly WorkloadChange[] {
  const [was, is] = [isPaused(before), isPaused(now)];
  if (was === is) return [];
  return [
    { kind: 'paused', paused: is, by: authorOf(before.object.metadata, now.object.metadata, ['spec', 'paused']) },
  ];
}

/** Whether its controller was told to leave the pods as they are. */
export function isPaused(workload: Workload): boolean {
  return workload.kind === 'Deployment' && workload.object.spec.paused === true;
}

function templateChanges(record: ReplacementRecord, before: Workload, now: Workload): readonly WorkloadChange[] {
  const [old, fresh] = [templateOf(before), templateOf(now)];
  if (isDeepStrictEqual(old, fresh)) return [];
  const by = (at: readonly Step[]) => authorOf(before.object.metadata, now.object.metadata, at);
  const found: WorkloadChange[] = [];
  const names = changedVariables(record, before, now);
  const container: readonly Step[] = [...podSpecFields, 'containers', { name: record.container }];
  if (names.length > 0) {
    found.push({ kind: 'variables', names, by: by([...container, 'env', { name: names[0] ?? '' }]) });
  }
  const restart = `metadata.annotations.${restartAnnotation}`;
  const environment = `spec.containers[${record.container}].env`;
  const paths = differences(old, fresh).filter((path) => !path.startsWith(environment));
  if (paths.includes(restart)) {
    found.push({ kind: 'restarted', by: by(['spec', 'template', 'metadata', 'annotations', restartAnnotation]) });
  }
  const others = paths.filter((path) => path !== restart);
  if (others.length > 0) found.push({ kind: 'template', paths: others, by: by([]) });
  return found;
}

const environmentSchema = z.looseObject({
  env: z.array(z.looseObject({ name: z.string() })).default([]),
  envFrom: z.array(z.unknown()).default([]),
});

function changedVariables(record: ReplacementRecord, before: Workload, now: Workload): readonly string[] {
  const [old, fresh] = [before, now].map((workload) => {
    const found = templateOf(workload).spec.containers.find(({ name }) => name === record.container);
    const { env, envFrom } = environmentSchema.parse(found ?? {});
    return { variables: new Map(env.map((variable) => [variable.name, variable])), envFrom };
  });
  if (old === undefined || fresh === undefined) return [];
  const names = [...new Set([...old.variables.keys(), ...fresh.variables.keys()])].filter(
    (name) =>
      name !== agentConfigurationVariable && !isDeepStrictEqual(old.variables.get(name), fresh.variables.get(name)),
  );
  return isDeepStrictEqual(old.envFrom, fresh.envFrom) ? names : [...names, 'envFrom'];
}

function placeOf(container: string, change: Change): readonly Step[] {
  const inContainer: readonly Step[] = [...podSpecFields, 'containers', { name: container }];
  if (change.at === 'container') return [...inContainer, change.field];
  if (change.at === 'variable') return [...inContainer, 'env', { name: change.name }];
  if (change.at === 'annotation') return ['spec', 'template', 'metadata', 'annotations', change.name];
  return [...podSpecFields, 'securityContext', 'sysctls'];
}
