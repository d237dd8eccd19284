/** What a pod is doing, and in plain words what keeps it from running. */
import type { Pod } from './objects.ts';

/** Whether the container runs in this pod and the pod is not on its way out. */
export function isRunning(pod: Pod, container: string): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    pod.status.phase === 'Running' &&
    statusOf(pod, container)?.state.running !== undefined
  );
}

/** Whether the pod is Ready, so that Services send it traffic. */
export function isReady(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  );
}

/** Whether the pod has ended for good (evicted, completed); its controller has or will replace it. */
export function hasEnded(pod: Pod): boolean {
  return pod.status.phase === 'Failed' || pod.status.phase === 'Succeeded';
}

/** Why the cluster ends this pod (eviction, drain, preemption, a full node), in its own words; empty if it does not. */
export function disruptionOf(pod: Pod): string {
  const { conditions, phase, reason, message } = pod.status;
  const disruption = conditions.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  if (disruption) return join(disruption.reason, disruption.message);
  return phase === 'Failed' && reason !== '' ? join(reason, message) : '';
}

/** The status of one container; undefined before the kubelet has looked at the pod. */
export function statusOf(pod: Pod, container: string): Pod['status']['containerStatuses'][number] | undefined {
  return pod.status.containerStatuses.find(({ name }) => name === container);
}

/** Why the pod, or the one container of it, does not run: `Pending: 0/1 nodes are available …`. */
export function whyNotRunning(pod: Pod, container?: string): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const { phase, reason, message, conditions, containerStatuses, initContainerStatuses } = pod.status;
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return join(phase, scheduled.reason, scheduled.message);
  const statuses = [
    ...containerStatuses.filter(({ name }) => name === container),
    ...initContainerStatuses,
    ...containerStatuses,
  ];
  for (const { name, state, lastState } of statuses) {
    if (state.waiting && state.waiting.reason !== 'PodInitializing') {
      const end = lastState.terminated;
      const code = end?.exitCode === undefined ? '' : `last exit code ${end.exitCode}`;
      return join(`container ${name}`, state.waiting.reason, state.waiting.message, code);
    }
    if (state.terminated && state.terminated.exitCode !== 0) {
      return join(`container ${name}`, state.terminated.reason, `exit code ${state.terminated.exitCode}`);
    }
  }
  return join(phase, reason, message);
}

function join(...parts: readonly (string | undefined)[]): string {
  return parts.filter(Boolean).join(': ');
}
