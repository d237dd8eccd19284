/**
 * The way of a session that gets the workload for itself: everything that can refuse is asked first, then the Lease is taken
 * and the agent put in place of the container; the cluster's requests come to this computer.
 */
import { applyReplacement, awaitReplacement, type ReplacementRecord, WorkloadDeleted } from '../cluster/replacement.ts';
import { checkRights } from '../cluster/rights.ts';
import { environmentReader } from '../cluster/sources.ts';
import { resolveTarget } from '../cluster/target.ts';
import { Problem } from '../problem.ts';
import { Inbound } from './agents/inbound.ts';
import { SelfTest } from './agents/self-test.ts';
import { testServices } from './agents/service-self-tests.ts';
import { allOrFirstProblem, allOrNone } from './all-or-first-problem.ts';
import { imageVariables } from './program/image-variables.ts';
import { addressFor, withLocalPorts } from './program/network-environment.ts';
import { identityOf, podEnvironment, remembering, withImage } from './program/pod-environment.ts';
import { SessionVolumes } from './program/session-volumes.ts';
import { tellEnvironment } from './program/told-environment.ts';
import type { Connection } from './protocol.ts';
import { planAgent } from './replacement-plan.ts';
import type { SessionMeans } from './session-means.ts';
import { SessionReaper } from './session-reaper.ts';
import { describeConnection } from './session-view.ts';
import { followWorkload } from './workload/workload-watch.ts';
import { mapPorts, udpNotes } from './workstation/port-mapping.ts';

/** TargetHeld: another session has the workload, and nothing was changed. Problems as its parts throw them. */
export async function connectAsHolder(means: SessionMeans, signal: AbortSignal): Promise<Connection> {
  const { options, lease, connections, workstation, begun } = means;
  const { id, cluster, request, journal, progress, notice, log, step } = options;
  const { tunnels } = connections;
  workstation.begin(step, signal);
  progress(`Looking for ${request.target} in namespace ${cluster.namespace} of ${cluster.context}`);
  const [target, names] = await Promise.all([
    step.time('the target', () => resolveTarget(cluster, request.target, request.container, signal)),
    step.time('the Services', () => workstation.readNames()),
  ]);
  begun({ target });
  const workload = `${target.workload.kind.toLowerCase()}/${target.workload.name}`;
  const wanted = mapPorts(target, request.ports);

  progress(`Checking rights, ports and names for ${workload}`);
  const volumes = new SessionVolumes({ ...options, session: id, target });
  begun({ volumes });
  const reaper = new SessionReaper({ session: id, request, cluster, target, journal, log });
  begun({ reaper });
  const sources = {
    reader: remembering(environmentReader(cluster)),
    target,
    services: names.ofThePod,
    onUnresolved: request.onUnresolved,
  };
  // Names, and what paths of mounts are made of, do not depend on the addresses that the network has yet to give.
  const declared = podEnvironment({ ...sources, addressOf: () => undefined }, target.pod, signal);
  const plan = { session: id, cluster, request, publicKey: connections.publicKey };
  const readImage = (signal: AbortSignal) =>
    step.time('variables of the image', async () => {
      const { variables } = await declared;
      return await imageVariables(options, target, variables, signal);
    });
  // Everything that can refuse is asked before anything is changed.
  const [{ agent, record }, { chosen, network, ports }, early] = await allOrFirstProblem([
    step.time('the plan of the agent', async () => {
      const { variables } = await declared;
      return await planAgent(plan, target, [...wanted.keys()], variables, signal);
    }),
    step.time('listeners', () => workstation.prepare(names, wanted, signal)),
    target.podsStay ? undefined : readImage(signal),
    step.time('rights', () => checkRights(cluster, target, request.onUnresolved, signal)),
    step.time('whether there can be a reaper', () => reaper.assertPossible()),
  ]);
  const addressOf = addressFor(network);
  const environment = await step.time('environment and volumes', async () => {
    const known = await podEnvironment({ ...sources, addressOf }, target.pod, signal);
    await volumes.check(known.variables, signal);
    return known;
  });
  tellEnvironment(options, [...record.notes, ...udpNotes(target)], environment, network);

  if (!lease.isHeld) lease.keep(target, await step.time('the Lease', () => lease.acquire(target, signal)));
  progress(`Putting the agent in place of container ${target.container} of ${workload}`);
  journal.append({ act: 'replacement', record });
  await step.time('the change of the definition', () => applyReplacement(cluster, record, signal));
  const selfTest = new SelfTest();
  const inbound = new Inbound({
    network,
    workload: target.workload.name,
    ports,
    selfTest,
    callers: connections.callers,
    proxyProtocol: request.proxyProtocol,
    programs: means.programs,
    notice,
    log,
  });
  // By the first agent that is reached, while the other replicas are still to come.
  const prepare = async (signal: AbortSignal) => {
    // Without a tunnel no agent is ready, so the original container is still there to be asked, while the agents' pods start.
    const image = early ?? (await readImage(signal));
    connections.keep({
      record,
      tunnelPort: agent.tunnelPort,
      volumes,
      step,
      onInbound: (connection) => void inbound.accept(connection),
    });
    await tunnels.whenConnected(signal);
    const first = connections.first.pod;
    return await step.time('environment and volumes of the pod', async () => {
      const pod = await identityOf(cluster, target, first, signal);
      // Read afresh: the cluster may have changed while the agent was put in place.
      const declared = await podEnvironment({ ...sources, reader: environmentReader(cluster), addressOf }, pod, signal);
      const variables = withImage(declared.variables, image, pod);
      await volumes.open({ name: first, pod, variables, tunnels, network }, signal);
      return variables;
    });
  };
  const rollOut = async (signal: AbortSignal) => {
    const rollingOut = step.time('the rollout of the agent', () => awaitReplacement(cluster, record, progress, signal));
    const rolledOut = rollingOut.catch((error: unknown) => {
      if (error instanceof WorkloadDeleted) journal.append({ act: 'gone' });
      throw error;
    });
    reaper.begin(rolledOut);
    await rolledOut;
    await tunnels.whenConnected(signal);
    watchWorkload(means, record);
    progress('Testing the way through the Service');
    await step.time('the way through the Service', () =>
      testServices({ selfTest, target, tunnels, notice }, means.ended),
    );
  };
  const [variables] = await allOrNone(
    [
      prepare,
      rollOut,
      (each) => reaper.working(each),
      (each) => step.time('names', () => names.publish(network, each)),
    ],
    signal,
  );
  workstation.keepNames(names, network);
  return describeConnection({
    session: id,
    log: options.logFile,
    target,
    pods: tunnels.all.map((tunnel) => tunnel.pod),
    chosen,
    environment: withLocalPorts(variables, network),
    volumes,
    externalEndpoints: request.externalEndpoints,
    ports,
  });
}

/** What others do to the workload is told, or ends the session. */
function watchWorkload({ options, watching: signal }: SessionMeans, record: ReplacementRecord): void {
  const { cluster, journal, log, notice } = options;
  const lost = (problem: Problem, gone: boolean) => {
    try {
      if (gone) journal.append({ act: 'gone' });
    } finally {
      options.lost(problem);
    }
  };
  followWorkload({ cluster, record, log, notice, lost }, signal).catch((error: unknown) => {
    if (signal.aborted) return;
    log.write('warn', 'the workload can no longer be watched', { error });
    const text = `What others do to the workload is not seen from now on: ${Problem.from(error).message}`;
    notice({ level: 'warning', text });
  });
}
