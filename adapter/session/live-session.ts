/**
 * One session that stands: the workload replaced, tunnels to every replica, names and listeners on this computer.
 * `connect` builds it step by step, each act written to the journal first; whatever it did is in the journal, so
 * whoever calls it undoes a failed one like any other.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type AgentConfiguration, protocolVersion } from '../../agent/protocol.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { readImageEnvironment } from '../cluster/image-environment.ts';
import { acquireLease, type HeldLease, leaseName } from '../cluster/lease.ts';
import { portForwarder } from '../cluster/portforward.ts';
import {
  applyReplacement,
  awaitReplacement,
  freeAgentPorts,
  planReplacement,
  type ReplacementRecord,
  watchAgentPods,
} from '../cluster/replacement.ts';
import { checkRights } from '../cluster/rights.ts';
import { environmentReader } from '../cluster/sources.ts';
import { type ResolvedTarget, resolveTarget } from '../cluster/target.ts';
import type { Log } from '../diagnostics/log.ts';
import type { EnvironmentVariable, ResolvedEnvironment } from '../environment/environment.ts';
import { agentFiles } from '../environment/volumes/agent-volumes.ts';
import { planVolumes } from '../environment/volumes/plan.ts';
import type { PrivilegedHelper } from '../network/helper/helper-client.ts';
import { hostsFilePath } from '../network/hosts/hosts-writer.ts';
import type { WorkstationNetwork } from '../network/workstation-network.ts';
import { Problem } from '../problem.ts';
import { Tunnels } from '../tunnel/tunnels.ts';
import { keepAgentTunnels } from './agent-tunnels.ts';
import { type Ask, consentAs } from './ask.ts';
import { type ChosenNetwork, chooseNetwork } from './choose-network.ts';
import type { SessionInside } from './diagnosis.ts';
import { Inbound } from './inbound.ts';
import type { Journal } from './journal.ts';
import { addressFor, unusableNames, withLocalPorts } from './network-environment.ts';
import { identityOf, podEnvironment, remembering, valuesOf, withImage } from './pod-environment.ts';
import { freeLocalPorts, mapPorts } from './port-mapping.ts';
import { Privileges } from './privileges.ts';
import type { Connection, ConnectRequest, Notice, Status } from './protocol.ts';
import { SelfTest } from './self-test.ts';
import { selfTestNotice, selfTestRoutes } from './self-test-report.ts';
import { ServiceNames } from './service-names.ts';
import { describeConnection, describeStatus } from './session-view.ts';
import { SessionVolumes } from './session-volumes.ts';

const heartbeatMilliseconds = 5_000;
/** kube-proxy programs a new endpoint within a second; longer than this is a fault worth a warning. */
const selfTestDeadlineMilliseconds = 10_000;
/** How long "connected" waits for the self-test; it goes on behind it. */
const selfTestPatienceMilliseconds = 1_500;

export interface LiveSessionOptions {
  readonly id: string;
  readonly request: ConnectRequest;
  readonly cluster: Cluster;
  readonly journal: Journal;
  readonly logFile: string;
  /** The session's own folder on disk. */
  readonly folder: string;
  readonly log: Log;
  /** The command that starts this program; the privileged helper is one of its processes. */
  readonly program: readonly string[];
  progress(text: string): void;
  notice(notice: Notice): void;
  /** Asks the user, through the client that connects. */
  readonly ask: Ask;
  /** The processes of the clients. */
  clients(): readonly number[];
  /** The session cannot stand any longer; its owner undoes it. */
  lost(problem: Problem): void;
}

export class LiveSession implements AsyncDisposable {
  readonly #options: LiveSessionOptions;
  readonly #ended = new AbortController();
  /** Freed in reverse order; Node 22 has no AsyncDisposableStack. */
  readonly #resources: (() => void | PromiseLike<void>)[] = [];
  readonly #tunnels = new Tunnels();
  readonly #selfTest = new SelfTest();
  readonly #programs = new Set<number>();
  readonly #keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly #privileges: Privileges;
  #target: ResolvedTarget | undefined;
  #volumes: SessionVolumes | undefined;
  #chosen: ChosenNetwork | undefined;
  #connection: Connection | undefined;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
    this.#keys = generateKeyPairSync('ed25519');
    const { log, program, ask } = options;
    this.#privileges = new Privileges({
      log,
      program,
      consent: consentAs(options.request.elevate, ask),
    });
  }

  /** Connects; afterwards, or after a failure, the journal says what is to be undone. Problems as its parts throw them. */
  async connect(signal: AbortSignal): Promise<Connection> {
    const { cluster, request, progress, notice, log } = this.#options;
    const both = AbortSignal.any([signal, this.#ended.signal]);
    progress(`Looking for ${request.target} in namespace ${cluster.namespace} of ${cluster.context}`);
    const { otherNamespaces, externalEndpoints, managedIdentity } = request;
    const [target, names] = await Promise.all([
      resolveTarget(cluster, request.target, request.container, both),
      ServiceNames.read(
        { cluster, otherNamespaces, externalEndpoints, managedIdentity, notice, log },
        this.#ended.signal,
      ),
    ]);
    this.#target = target;
    const workload = `${target.workload.kind.toLowerCase()}/${target.workload.name}`;
    const wanted = mapPorts(target, request.ports);

    progress(`Checking rights, ports and names for ${workload}`);
    const volumes = this.#volumesOf(target);
    const sources = {
      reader: remembering(environmentReader(cluster)),
      target,
      services: names.ofThePod,
      onUnresolved: request.onUnresolved,
    };
    // Names, and what paths of mounts are made of, do not depend on the addresses that the network has yet to give.
    const declared = podEnvironment({ ...sources, addressOf: () => undefined }, target.pod, both);
    const planned = declared.then(async ({ variables }) => {
      const agent = this.#agentFor(target, [...wanted.keys()], variables);
      const image = { name: request.agentImage };
      return { agent, record: await planReplacement(cluster, target, agent, image, request.keep, both) };
    });
    // Everything that can refuse is asked before anything is changed.
    const [{ agent, record }, { chosen, network, ports }, image] = await allOrFirstProblem([
      planned,
      this.#prepareNetwork(names, wanted, both),
      declared.then(({ variables }) => this.#imageEnvironment(target, variables, both)),
      checkRights(cluster, target, request.onUnresolved, both),
    ]);
    const addressOf = addressFor(network);
    const environment = await podEnvironment({ ...sources, addressOf }, target.pod, both);
    await volumes.check(withImage(environment.variables, image, target.pod), both);
    this.#tell(record.notes, environment, network);

    this.#keepLease(await this.#acquireLease(target, both));
    progress(`Putting the agent in place of container ${target.container} of ${workload}`);
    this.#options.journal.append({ act: 'replacement', record });
    await applyReplacement(cluster, record, both);
    const inbound = new Inbound({
      network,
      workload: target.workload.name,
      ports,
      selfTest: this.#selfTest,
      programs: () => [...this.#programs],
      notice: (notice) => this.#options.notice(notice),
      log,
    });
    this.#keepTunnels(record, agent.tunnelPort, inbound);
    await Promise.all([
      awaitReplacement(cluster, record, progress, both),
      this.#tunnels.whenConnected(both),
      names.publish(network, both),
    ]);
    this.#keepNames(names, network, new Set(wanted.values()));
    progress('Testing the way through the Service');
    const [first] = this.#tunnels.all;
    if (first === undefined) throw new Error('connected without a tunnel');
    const prepare = async () => {
      const pod = await identityOf(cluster, target, first.pod, both);
      // Read afresh: the cluster may have changed while the agent was put in place.
      const declared = await podEnvironment({ ...sources, reader: environmentReader(cluster), addressOf }, pod, both);
      const variables = withImage(declared.variables, image, pod);
      await volumes.open({ name: first.pod, pod, variables, tunnels: this.#tunnels, network }, both);
      return variables;
    };
    const [variables] = await allOrFirstProblem([prepare(), this.#runSelfTest(target)]);
    this.#connection = describeConnection({
      session: this.#options.id,
      log: this.#options.logFile,
      target,
      pods: this.#tunnels.all.map((tunnel) => tunnel.pod),
      chosen,
      environment: withLocalPorts(variables, network),
      volumes,
      externalEndpoints,
      ports,
    });
    return this.#connection;
  }

  #agentFor(
    target: ResolvedTarget,
    ports: readonly number[],
    variables: readonly EnvironmentVariable[],
  ): AgentConfiguration {
    const { id, request } = this.#options;
    const { copy, writeBack } = request.volumes;
    const planned = planVolumes(target.pod, target.container, valuesOf(variables));
    const files = copy === 'auto' ? agentFiles(planned, writeBack) : undefined;
    return {
      version: protocolVersion,
      session: id,
      publicKey: this.#keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      ...freeAgentPorts(target),
      ports: [...ports],
      ...(files && { files }),
    };
  }

  #volumesOf(target: ResolvedTarget): SessionVolumes {
    const { id, request, cluster, journal, log, progress, notice, folder } = this.#options;
    const options = { session: id, request, cluster, target, journal, folder, log, progress, notice };
    const volumes = new SessionVolumes(options);
    this.#volumes = volumes;
    return volumes;
  }

  /** What the image of the container sets, while it still runs. */
  async #imageEnvironment(
    target: ResolvedTarget,
    declared: readonly EnvironmentVariable[],
    signal: AbortSignal,
  ): Promise<readonly EnvironmentVariable[]> {
    const { cluster, request, notice, log } = this.#options;
    if (!request.fromImage) return [];
    const { namespace } = target.workload;
    const place = { namespace, pod: target.pod.metadata.name, container: target.container };
    const known = declared.map(({ name }) => name);
    const { variables, notes } = await readImageEnvironment(cluster, place, known, signal);
    for (const text of notes) notice({ level: 'info', text });
    log.write('debug', 'the variables of the image are read', { names: variables.map(({ name }) => name) });
    return variables;
  }

  #tell(notes: readonly string[], environment: ResolvedEnvironment, network: WorkstationNetwork): void {
    const { notice, log } = this.#options;
    for (const text of unusableNames(environment.variables, network)) notice({ level: 'warning', text });
    for (const text of [...notes, ...environment.notes]) notice({ level: 'info', text });
    for (const { secret, value } of environment.variables) if (secret) log.redactor.add(value);
  }

  /** What a diagnosis shows beside the status. */
  get inside(): SessionInside {
    return {
      cluster: this.#options.cluster,
      target: this.#target,
      connection: this.#connection,
      tunnels: this.#tunnels.all,
      programs: [...this.#programs],
    };
  }

  /** What `status` shows of a standing session. */
  get status(): Status['connection'] {
    if (this.#connection === undefined || this.#chosen === undefined) return undefined;
    const { all } = this.#tunnels;
    return describeStatus(this.#connection, this.#chosen.network, all, this.#privileges.running);
  }

  /** The helper, for the undo of the hosts file; started anew if it is gone. */
  helper(signal: AbortSignal): Promise<PrivilegedHelper> {
    return this.#privileges.helper(signal);
  }

  /** A process that belongs to the user's program, for the advice on ports. */
  programStarted(pid: number): void {
    this.#programs.add(pid);
  }

  /** The last that is done with the agent: what changed here is written back to its volumes. For at most half a minute. */
  async settle(): Promise<void> {
    try {
      await this.#volumes?.[Symbol.asyncDispose]();
    } catch (error) {
      this.#options.log.write('error', 'the volumes could not be ended in order', { error });
    }
  }

  /** Closes listeners and tunnels. The acts in the journal are undone by `undo`, not by this. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    for (const free of this.#resources.splice(0).reverse()) await free();
  }

  /** Takes a way of making names work and opens all listeners, of which nobody knows yet; frees the program's ports. */
  async #prepareNetwork(names: ServiceNames, wanted: ReadonlyMap<number, number>, signal: AbortSignal) {
    const { request, log, notice, program, journal, id, ask } = this.#options;
    const localPorts = new Set(wanted.values());
    const chosen = await chooseNetwork(
      {
        session: id,
        request,
        tunnels: this.#tunnels,
        privileges: this.#privileges,
        localPorts,
        program,
        log,
        notice: (text) => notice({ level: 'warning', text }),
        willWriteHosts: () => journal.append({ act: 'hosts', file: hostsFilePath() }),
        helperLost: (recover) => this.#recover(recover),
      },
      signal,
    );
    const { network, reason } = chosen;
    this.#chosen = chosen;
    this.#resources.push(() => network[Symbol.asyncDispose]());
    void network.closed.then((why) => {
      if (!this.#ended.signal.aborted) this.#options.lost(privateNetworkLost(why));
    });
    if (request.network === 'auto') notice({ level: 'info', text: reason });
    for (const text of network.notes) notice({ level: 'warning', text });
    await names.open(network, localPorts, signal);
    // A private network has ports of its own.
    const mustBeFree = request.startsProgram && network.prefix.length === 0;
    const ports = mustBeFree
      ? await freeLocalPorts(wanted, {
          policy: request.onPortConflict,
          ask: (question, each) => ask.port(question, each),
          protect: this.#options.clients(),
          notice,
          signal,
        })
      : wanted;
    return { chosen, network, ports };
  }

  /** A killed helper is no reason to end the session: its work is done again by a new one. */
  #recover(recover: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#ended;
    if (signal.aborted) return;
    const { log, notice } = this.#options;
    log.write('warn', 'the privileged helper is gone; starting another one');
    recover(signal).catch((error: unknown) => {
      if (signal.aborted) return;
      log.write('error', 'the privileged helper could not be replaced', { error });
      const text = `The privileged helper ended, and with it some names may have gone. ${Problem.from(error).message}`;
      notice({ level: 'warning', text });
    });
  }

  /** The names follow the cluster. */
  #keepNames(names: ServiceNames, network: WorkstationNetwork, localPorts: ReadonlySet<number>): void {
    const { log, notice } = this.#options;
    const { signal } = this.#ended;
    names.follow(network, localPorts, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      log.write('warn', 'the names can no longer be kept as they are in the cluster', { error });
      const text = `Services that change from now on are not followed: ${Problem.from(error).message}`;
      notice({ level: 'warning', text });
    });
  }

  async #acquireLease(target: ResolvedTarget, signal: AbortSignal): Promise<HeldLease> {
    const { cluster, journal, id } = this.#options;
    journal.append({ act: 'lease', name: leaseName(target) });
    return acquireLease(cluster, target, { session: id, user: userInfo().username, host: hostname() }, signal);
  }

  #keepLease(lease: HeldLease): void {
    const timer = setInterval(() => {
      lease.renew(this.#ended.signal).catch((error: unknown) => {
        if (this.#ended.signal.aborted) return;
        const problem = Problem.from(error);
        this.#options.log.write('warn', 'the Lease could not be renewed', { error });
        if (problem.code === 'target-held') this.#options.lost(problem);
      });
    }, heartbeatMilliseconds);
    this.#resources.push(() => clearInterval(timer));
  }

  #keepTunnels(record: ReplacementRecord, tunnelPort: number, inbound: Inbound): void {
    const { cluster, log, id } = this.#options;
    const signal = this.#ended.signal;
    keepAgentTunnels(
      {
        pods: watchAgentPods(cluster, record, signal),
        forwarder: portForwarder(cluster),
        tunnelPort,
        privateKey: this.#keys.privateKey,
        session: id,
        tunnels: this.#tunnels,
        onInbound: (connection) => void inbound.accept(connection),
        onPods: (pods) => this.#podsChanged(pods),
        log,
      },
      signal,
    ).catch((error: unknown) => {
      if (signal.aborted) return;
      log.write('error', 'the agent pods can no longer be watched', { error });
      this.#options.lost(Problem.from(error));
    });
  }

  #podsChanged(pods: readonly string[]): void {
    const { signal } = this.#ended;
    this.#volumes?.usePods(pods, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      this.#options.log.write('warn', 'the volumes could not be bound to another pod', { error });
    });
  }

  async #runSelfTest(target: ResolvedTarget): Promise<void> {
    const dial = (host: string, port: number) => this.#tunnels.dial(host, port);
    const tests = selfTestRoutes(target).map(async (route) => {
      const result = await this.#selfTest.run(route, dial, selfTestDeadlineMilliseconds, this.#ended.signal);
      if (!this.#ended.signal.aborted) this.#options.notice(selfTestNotice(result));
    });
    await Promise.race([Promise.all(tests), delay(selfTestPatienceMilliseconds, undefined, { ref: false })]);
  }
}

function privateNetworkLost(why: string): Problem {
  return new Problem({
    code: 'namespace-unavailable',
    what: 'The private network of the program is gone.',
    why,
    remedy: 'Start the debug session again.',
  });
}

/** Like Promise.all, but lets every part settle, so that none goes on behind a failure. */
async function allOrFirstProblem<T extends readonly unknown[]>(parts: T): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  const results = await Promise.allSettled(parts);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  return Promise.all(parts) as Promise<{ [K in keyof T]: Awaited<T[K]> }>;
}
