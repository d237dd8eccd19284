/** The environment that a container has from its image, read in the container itself: no API shows it. A help, never a need. */

import { z } from 'zod';
import { type ImageEnvironment, imageVariables } from '../environment/image.ts';
import { Problem } from '../problem.ts';
import { hasStatus } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { execute } from './exec.ts';
import { readPod } from './pods.ts';

export interface ContainerPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

const deadlineMilliseconds = 5_000;
const limit = 1024 * 1024;

/**
 * Without a shell, and each prints the environment that the runtime gives to every process of the container. Not that of
 * process 1, which is another container's where the pod shares its processes. Each is a process in somebody's container, so
 * no more than these: PATH leads to cat wherever it leads to env or printenv.
 */
const commands: readonly [readonly string[], ...(readonly string[])[]] = [
  ['cat', '/proc/self/environ'],
  ['/usr/bin/env', '-0'],
  ['/busybox/cat', '/proc/self/environ'],
];

const containerSchema = z.object({ name: z.string(), image: z.string().nullish() });
const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
const stateSchema = z.object({ name: z.string(), state: z.object({ running: z.looseObject({}).nullish() }).nullish() });
const podSchema = z.object({
  spec: z.object({ containers: listOf(containerSchema), initContainers: listOf(containerSchema) }),
  status: z.object({ containerStatuses: listOf(stateSchema), initContainerStatuses: listOf(stateSchema) }).nullish(),
});

/**
 * The variables of the container that are in `declared` by none of their names: the image's own, HOME and HOSTNAME. Where
 * they cannot be known, none, and a note that says why. Rejects with the signal's reason only.
 * @param declared names that the pod's description and Services give
 */
export async function readImageEnvironment(
  cluster: Cluster,
  place: ContainerPlace,
  declared: readonly string[],
  signal: AbortSignal,
): Promise<ImageEnvironment> {
  const deadline = AbortSignal.timeout(deadlineMilliseconds);
  try {
    return await read(cluster, place, declared, AbortSignal.any([signal, deadline]));
  } catch (error) {
    signal.throwIfAborted();
    return unknown(
      deadline.aborted ? `it did not answer within ${deadlineMilliseconds / 1000} seconds` : reasonOf(error, place),
    );
  }
}

async function read(
  cluster: Cluster,
  place: ContainerPlace,
  declared: readonly string[],
  signal: AbortSignal,
): Promise<ImageEnvironment> {
  const { namespace, pod, container } = place;
  const tryOne = (command: readonly string[]) => execute(cluster, { ...place, command, limit }, signal);
  const [first, ...others] = commands;
  const firstTried = tryOne(first);
  // Its failure is awaited below, if the container runs.
  firstTried.catch(() => {});
  const { spec, status } = podSchema.parse(await readPod(cluster, namespace, pod, signal));
  const image = [...spec.containers, ...spec.initContainers].find(({ name }) => name === container)?.image;
  const states = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const state = states.find(({ name }) => name === container)?.state;
  if (!state?.running) return unknown(`container ${container} of pod ${pod} is not running`);
  const outcome = (result: Awaited<typeof firstTried>) => {
    if ('tooLong' in result) return unknown('it is longer than 1 MiB');
    if ('output' in result) return imageVariables(result.output, declared, image ?? 'unknown');
    cluster.log.write('debug', 'a command to read the environment failed', { failure: result.failure });
    return undefined;
  };
  const ofFirst = outcome(await firstTried);
  if (ofFirst !== undefined) return ofFirst;
  // Most containers have the first; where it is missing, each of the others would cost several round trips.
  for (const result of await Promise.all(others.map(tryOne))) {
    const known = outcome(result);
    if (known !== undefined) return known;
  }
  return unknown(`container ${container} has neither cat nor env`);
}

function unknown(why: string): ImageEnvironment {
  return { variables: [], notes: [`Variables that the image itself sets (ENV) are not known: ${why}.`] };
}

function reasonOf(error: unknown, { namespace }: ContainerPlace): string {
  if (hasStatus(error, 403)) return `you may not create and get pods/exec in namespace ${namespace}`;
  const problem = Problem.from(error);
  const why = problem.code === 'defect' ? problem.why : [problem.what, problem.why].filter(Boolean).join(' ');
  return why.replace(/\.$/, '');
}
