/** What the workload becomes while a session holds it, and what the agent in it is told. */
import { hostname, userInfo } from 'node:os';
import { type AgentConfiguration, configurationVersion } from '../../agent/protocol.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { freeAgentPorts, planReplacement, type ReplacementRecord } from '../cluster/replacement.ts';
import type { ResolvedTarget } from '../cluster/target.ts';
import type { EnvironmentVariable } from '../environment/environment.ts';
import { agentFiles } from '../environment/volumes/agent-volumes.ts';
import { planVolumes } from '../environment/volumes/plan.ts';
import { valuesOf } from './program/pod-environment.ts';
import type { ConnectRequest } from './protocol.ts';

export interface AgentPlanOptions {
  readonly session: string;
  readonly cluster: Cluster;
  readonly request: Pick<ConnectRequest, 'volumes' | 'agentImage' | 'keep'>;
  /** By which the agent knows the session. */
  readonly publicKey: string;
}

export interface AgentPlan {
  readonly agent: AgentConfiguration;
  readonly record: ReplacementRecord;
}

/** Changes nothing. `ports`: of the container; `variables`: what its mounts are named by. Problems as `planReplacement`. */
export async function planAgent(
  options: AgentPlanOptions,
  target: ResolvedTarget,
  ports: readonly number[],
  variables: readonly EnvironmentVariable[],
  signal: AbortSignal,
): Promise<AgentPlan> {
  const { cluster, request } = options;
  const agent = configurationOf(options, target, ports, variables);
  const image = { name: request.agentImage };
  const record = await planReplacement(cluster, target, agent, image, request.keep, signal);
  return { agent, record: { ...record, holder: `${userInfo().username} on ${hostname()}` } };
}

function configurationOf(
  { session, request, publicKey }: AgentPlanOptions,
  target: ResolvedTarget,
  ports: readonly number[],
  variables: readonly EnvironmentVariable[],
): AgentConfiguration {
  const { copy, writeBack } = request.volumes;
  const planned = planVolumes(target.pod, target.container, valuesOf(variables));
  const files = copy === 'auto' ? agentFiles(planned, writeBack) : undefined;
  return {
    version: configurationVersion,
    session,
    publicKey,
    ...freeAgentPorts(target),
    ports: [...ports],
    ...(files && { files }),
  };
}
