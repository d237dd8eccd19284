/**
 * What of a container may stay on the agent where the user asks for it (the features Probes and LifecycleHooks of
 * KubernetesLocalProcessConfig.yaml): what is asked over the network reaches the program on this computer.
 */
import type { Container } from './objects.ts';
import type { Json } from './record.ts';

export interface KeptParts {
  readonly probes: boolean;
  readonly lifecycle: boolean;
}

export const keepNothing: KeptParts = { probes: false, lifecycle: false };

type Fields = Readonly<Record<string, unknown>>;

/** The parts that stay, and what the user should know about those that cannot. */
export function keptParts(
  container: Container,
  keep: KeptParts,
): { readonly livenessProbe?: Json; readonly lifecycle?: Json; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const probe = keep.probes ? livenessOf(container, notes) : undefined;
  const lifecycle = keep.lifecycle ? lifecycleOf(container, notes) : undefined;
  return { ...(probe !== undefined && { livenessProbe: probe }), ...(lifecycle !== undefined && { lifecycle }), notes };
}

/** Readiness and start-up stay the agent's: they would wait for a program that starts only when the agent is ready. */
function livenessOf({ livenessProbe, readinessProbe, startupProbe }: Container, notes: string[]): Json | undefined {
  if (isPresent(readinessProbe) || isPresent(startupProbe)) {
    notes.push('Its readiness and startup probes are not kept: the program here starts only when the agent is ready.');
  }
  if (!isPresent(livenessProbe)) return undefined;
  if (isPresent(livenessProbe.exec)) {
    notes.push('Its liveness probe is not kept: it runs a command, which the agent’s container does not have.');
    return undefined;
  }
  notes.push('Its liveness probe is kept: if the program here does not answer it, Kubernetes starts the agent again.');
  return toJson(livenessProbe);
}

/** A hook after the start would be called before the program here runs, and its failure ends the container. */
function lifecycleOf({ lifecycle }: Container, notes: string[]): Json | undefined {
  if (!isPresent(lifecycle)) return undefined;
  const { postStart, preStop, ...rest } = lifecycle;
  if (isPresent(postStart)) notes.push('Its postStart hook is not kept: it would run before the program here does.');
  if (isPresent(preStop) && isPresent(preStop.exec)) {
    notes.push('Its preStop hook is not kept: it runs a command, which the agent’s container does not have.');
  }
  const stays = { ...rest, ...(isPresent(preStop) && !isPresent(preStop.exec) && { preStop }) };
  return Object.keys(stays).length === 0 ? undefined : toJson(stays);
}

function isPresent(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function toJson(value: Fields): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
