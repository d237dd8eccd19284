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
import { unlessAborted } from '../../within.ts';
import type { Act } from '../journal/journal.ts';
import type { ConnectRequest, Notice } from '../protocol.ts';
import { type Ask, consentAs } from '../questions/ask.ts';
import type { Resources } from '../resources.ts';
import type { Step } from '../timings.ts';
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
  /** Ports on which the user's program will listen. */
  readonly #localPorts = new Set<number>();
  /** Resolves when it is known that privileges are of use. */
  readonly #mayAsk = Promise.withResolvers<void>();
  #begun: Promise<ChosenNetwork> | undefined;
  #chosen: ChosenNetwork | undefined;

  constructor(options: WorkstationOptions) {
    this.#options = options;
    const { log, program, request, ask } = options;
    const consent = consentAs(request.elevate, ask);
    this.#privileges = new Privileges({
      log,
      program,
      consent: async (text, signal) => {
        await unlessAborted(this.#mayAsk.promise, signal);
        return await consent(text, signal);
      },
    });
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
    this.#mayAsk.resolve();
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
   * Begins to take a way of making names work, while the target is still looked for: its processes need time to start. The
   * user is asked nothing before `prepare`, which also tells what goes wrong here.
   */
  begin(step: Step, signal: AbortSignal): void {
    this.#begun = step.time('the network', () => this.#choose(signal));
    this.#begun.catch(() => {});
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
    const { request, ended, ask, notice } = this.#options;
    this.#localPorts.clear();
    for (const port of wanted.values()) this.#localPorts.add(port);
    this.#mayAsk.resolve();
    const begun = this.#begun ?? this.#choose(signal);
    this.#begun = undefined;
    const chosen = await begun;
    const { network, reason } = chosen;
    this.#chosen = chosen;
    void network.closed.then((why) => {
      if (!ended.aborted && this.#chosen === chosen) this.#options.lost(privateNetworkLost(why));
    });
    if (request.network === 'auto') notice({ level: 'info', text: reason });
    for (const text of network.notes) notice({ level: 'warning', text });
    await names.open(network, this.#localPorts, signal);
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
    this.#begun = undefined;
    this.#chosen = undefined;
  }

  #choose(wanted: AbortSignal): Promise<ChosenNetwork> {
    const { session, request, tunnels, program, journal, resources, notice, log } = this.#options;
    const given = new AbortController();
    const choosing = chooseNetwork(
      {
        session,
        request,
        tunnels,
        privileges: this.#privileges,
        localPorts: this.#localPorts,
        program,
        log,
        notice: (text) => notice({ level: 'warning', text }),
        willWriteHosts: () => journal.append({ act: 'hosts', file: hostsFilePath() }),
        helperLost: (recover) => this.#recover(recover),
      },
      AbortSignal.any([wanted, given.signal]),
    );
    resources.defer(async () => {
      given.abort();
      const chosen = await choosing.catch(() => undefined);
      await chosen?.network[Symbol.asyncDispose]();
    });
    return choosing;
  }

  /** The names follow the cluster until the session ends. */
  keepNames(names: ServiceNames, network: WorkstationNetwork): void {
    const { ended: signal, log, notice } = this.#options;
    names.follow(network, this.#localPorts, signal).catch((error: unknown) => {
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
