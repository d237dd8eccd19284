/**
 * The session's side on this computer: the way in which names work here, its listeners and names as they are in the cluster,
 * the program's ports, and the privileged helper.
 * This folder: names, ports and privileges on this computer.
 */
import type { Cluster } from '../../cluster/cluster.ts';
import type { Log } from '../../diagnostics/log.ts';
import type { PrivilegedHelper } from '../../network/helper/helper-client.ts';
import { hostsFilePath } from '../../network/hosts/hosts-writer.ts';
import type { WorkstationNetwork } from '../../network/workstation-network.ts';
import { Problem } from '../../problem.ts';
import type { Tunnels } from '../../tunnel/tunnels.ts';
import type { Act } from '../journal/journal.ts';
import type { ConnectRequest, Notice } from '../protocol.ts';
import { type Ask, consentAs } from '../questions/ask.ts';
import type { Resources } from '../resources.ts';
import { type ChosenNetwork, chooseNetwork } from './choose-network.ts';
import { freeLocalPorts } from './port-mapping.ts';
import { Privileges } from './privileges.ts';
import { ServiceNames } from './service-names.ts';

export interface WorkstationOptions {
  readonly session: string;
  readonly request: ConnectRequest;
  readonly cluster: Cluster;
  readonly journal: { append(act: Act): void };
  /** What the listeners dial through. */
  readonly tunnels: Tunnels;
  readonly program: readonly string[];
  readonly ask: Ask;
  readonly resources: Pick<Resources, 'defer'>;
  /** Aborted when the session ends. */
  readonly ended: AbortSignal;
  /** The processes of the clients. */
  clients(): readonly number[];
  notice(notice: Notice): void;
  lost(problem: Problem): void;
  readonly log: Log;
}

/** What is ready on this computer, and not yet known by name. */
export interface PreparedNetwork {
  readonly chosen: ChosenNetwork;
  readonly network: WorkstationNetwork;
  /** Container port → local port. */
  readonly ports: ReadonlyMap<number, number>;
}

export class Workstation {
  readonly #options: WorkstationOptions;
  readonly #privileges: Privileges;
  #chosen: ChosenNetwork | undefined;

  constructor(options: WorkstationOptions) {
    this.#options = options;
    const { log, program, request, ask } = options;
    this.#privileges = new Privileges({ log, program, consent: consentAs(request.elevate, ask) });
  }

  /** The network that was prepared last. */
  get network(): WorkstationNetwork | undefined {
    return this.#chosen?.network;
  }

  /** The helper that runs now. */
  get runningHelper(): PrivilegedHelper | undefined {
    return this.#privileges.running;
  }

  /** The helper, started anew if it is gone. Problems as `startHelper` throws them. */
  helper(signal: AbortSignal): Promise<PrivilegedHelper> {
    return this.#privileges.helper(signal);
  }

  /** The names of the cluster, watched until the session's resources are freed. Problems of the cluster. */
  async readNames(): Promise<ServiceNames> {
    const { cluster, request, resources, ended, notice, log } = this.#options;
    const { otherNamespaces, externalEndpoints, managedIdentity } = request;
    const options = { cluster, otherNamespaces, externalEndpoints, managedIdentity, notice, log };
    const given = new AbortController();
    resources.defer(() => given.abort());
    return await ServiceNames.read(options, AbortSignal.any([ended, given.signal]));
  }

  /**
   * Takes a way of making names work and opens all listeners, of which nobody knows yet; frees the program's ports. `wanted`:
   * container port → local port. Problems as `chooseNetwork` and `freeLocalPorts` throw them.
   */
  async prepare(
    names: ServiceNames,
    wanted: ReadonlyMap<number, number>,
    signal: AbortSignal,
  ): Promise<PreparedNetwork> {
    const { session, request, tunnels, program, journal, resources, ended, ask, notice, log } = this.#options;
    const localPorts = new Set(wanted.values());
    const chosen = await chooseNetwork(
      {
        session,
        request,
        tunnels,
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
    resources.defer(() => network[Symbol.asyncDispose]());
    void network.closed.then((why) => {
      if (!ended.aborted && this.#chosen === chosen) this.#options.lost(privateNetworkLost(why));
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

  /** What was prepared is about to be freed: the end of its network is no loss of the session. */
  giveUp(): void {
    this.#chosen = undefined;
  }

  /** The names follow the cluster until the session ends. */
  keepNames(names: ServiceNames, network: WorkstationNetwork, localPorts: ReadonlySet<number>): void {
    const { ended: signal, log, notice } = this.#options;
    names.follow(network, localPorts, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      log.write('warn', 'the names can no longer be kept as they are in the cluster', { error });
      const text = `Services that change from now on are not followed: ${Problem.from(error).message}`;
      notice({ level: 'warning', text });
    });
  }

  /** A killed helper is no reason to end the session: its work is done again by a new one. */
  #recover(recover: (signal: AbortSignal) => Promise<void>): void {
    const { ended: signal, log, notice } = this.#options;
    if (signal.aborted) return;
    log.write('warn', 'the privileged helper is gone; starting another one');
    recover(signal).catch((error: unknown) => {
      if (signal.aborted) return;
      log.write('error', 'the privileged helper could not be replaced', { error });
      const text = `The privileged helper ended, and with it some names may have gone. ${Problem.from(error).message}`;
      notice({ level: 'warning', text });
    });
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
