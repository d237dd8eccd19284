/** What the image of the container sets, for a session that wants it. */
import type { Cluster } from '../../cluster/cluster.ts';
import { readImageEnvironment } from '../../cluster/image-environment.ts';
import type { ResolvedTarget } from '../../cluster/target.ts';
import type { Log } from '../../diagnostics/log.ts';
import type { EnvironmentVariable } from '../../environment/environment.ts';
import type { ConnectRequest, Notice } from '../protocol.ts';

export interface ImageVariablesOptions {
  readonly cluster: Cluster;
  readonly request: Pick<ConnectRequest, 'fromImage'>;
  notice(notice: Notice): void;
  readonly log: Log;
}

/** Read while the original container still runs; none if they are not wanted. `declared`: what the pod sets anyway. */
export async function imageVariables(
  { cluster, request, notice, log }: ImageVariablesOptions,
  target: ResolvedTarget,
  declared: readonly EnvironmentVariable[],
  signal: AbortSignal,
): Promise<readonly EnvironmentVariable[]> {
  if (!request.fromImage) return [];
  const { namespace } = target.workload;
  const place = { namespace, pod: target.pod.metadata.name, container: target.container };
  const known = declared.map(({ name }) => name);
  const { variables, notes } = await readImageEnvironment(cluster, place, known, signal);
  for (const text of notes) notice({ level: 'info', text });
  log.write('debug', 'the variables of the image are read', { names: variables.map(({ name }) => name) });
  return variables;
}
