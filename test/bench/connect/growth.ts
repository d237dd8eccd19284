/** How connect time grows: with the Services whose names this computer learns, and with the replicas that get an agent. */
import type { Kubectl } from '../../stage/kubectl.ts';
import { atItsMoment } from './beat.ts';
import { measureKubectl, measureOurs, type OwnRun, type Run, type Subject } from './sides.ts';
import { deployWorkload, workloadName } from './workload.ts';

export interface Place {
  readonly kubectl: Kubectl;
  readonly kubeconfig: string;
}

/** Runs by the size at which they were taken. */
export type BySize<T> = ReadonlyMap<number, readonly T[]>;

/** What a connect does for the Services, in the names of its steps. */
const stepsOfServices = ['the Services', 'listeners', 'names'];

/** Connects among so many Services, sizes in turn; each in a namespace of its own, which all of them outlives. */
export async function growServices(
  place: Place,
  sizes: readonly number[],
  runs: number,
  say: (text: string) => void,
): Promise<BySize<OwnRun>> {
  const taken = new Map<number, OwnRun[]>(sizes.map((size) => [size, []]));
  for (const size of sizes) {
    say(`Creating ${size} Services`);
    await deployWorkload(place.kubectl, `bench-services-${size}`, { replicas: 1, services: size });
  }
  for (let run = 0; run < runs; run++) {
    for (const size of sizes) {
      await atItsMoment(run, runs);
      const one = await measureOurs(subject(place, `bench-services-${size}`));
      taken.get(size)?.push(one);
      say(
        `run ${run + 1}, ${size} Services: ${one.connect.toFixed(2)} s, of it ${forServices(one).toFixed(3)} s for them`,
      );
    }
  }
  for (const size of sizes) await remove(place.kubectl, `bench-services-${size}`);
  return taken;
}

/** Seconds that a connect worked for the Services, partly beside other things. */
export function forServices({ steps }: OwnRun): number {
  return stepsOfServices.reduce((sum, step) => sum + (steps.get(step) ?? 0), 0) / 1000;
}

/** Connects of a Deployment of so many replicas, and its bare rollout, in turn. */
export async function growReplicas(
  place: Place,
  sizes: readonly number[],
  runsOf: (size: number) => number,
  say: (text: string) => void,
): Promise<{ readonly ours: BySize<Run>; readonly kubectl: BySize<Run> }> {
  const namespace = 'bench-replicas';
  const ours = new Map<number, Run[]>(sizes.map((size) => [size, []]));
  const bare = new Map<number, Run[]>(sizes.map((size) => [size, []]));
  await deployWorkload(place.kubectl, namespace, { replicas: 1, services: 1 });
  for (let run = 0; run < Math.max(...sizes.map(runsOf)); run++) {
    for (const size of sizes.filter((each) => run < runsOf(each))) {
      const deployment = [`deployment/${workloadName}`, '-n', namespace];
      await place.kubectl.run(['scale', ...deployment, `--replicas=${size}`]);
      await place.kubectl.run(['rollout', 'status', ...deployment, '--timeout=180s']);
      await atItsMoment(run, runsOf(size));
      const one = await measureOurs(subject(place, namespace));
      await atItsMoment(run, runsOf(size));
      const other = await measureKubectl(subject(place, namespace));
      ours.get(size)?.push(one);
      bare.get(size)?.push(other);
      say(`run ${run + 1}, ${size} replicas: ours ${one.connect.toFixed(2)} s, kubectl ${other.connect.toFixed(2)} s`);
    }
  }
  await remove(place.kubectl, namespace);
  return { ours, kubectl: bare };
}

function subject(place: Place, namespace: string): Subject {
  return { ...place, namespace, name: workloadName };
}

async function remove(kubectl: Kubectl, namespace: string): Promise<void> {
  await kubectl.run(['delete', 'namespace', namespace, '--wait=false']);
}
