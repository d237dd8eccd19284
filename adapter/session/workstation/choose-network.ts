/** Takes the way of making names work that the session asks for; with `auto` the first that works here. */
import type { Log } from '../../diagnostics/log.ts';
import { EnvNetwork } from '../../network/env-network.ts';
import { elevationWay } from '../../network/helper/elevation.ts';
import { hostsFilePath } from '../../network/hosts/hosts-writer.ts';
import { HostsNetwork, type HostsNetworkOptions } from '../../network/hosts-network.ts';
import { autoOrder, type Candidate, explainChoice } from '../../network/modes.ts';
import { withManagedIdentity } from '../../network/names/managed-identity.ts';
import type { DialDestination } from '../../network/names/reachable-destination.ts';
import { hasPasta } from '../../network/namespace/pasta.ts';
import { NamespaceNetwork } from '../../network/namespace-network.ts';
import { systemHostsFile } from '../../network/platform/platform-commands.ts';
import type { NetworkMode, WorkstationNetwork } from '../../network/workstation-network.ts';
import { Problem, type ProblemCode } from '../../problem.ts';
import { type ListenDatagramsOptions, listenDatagrams, serveDatagrams } from '../../tunnel/datagram-listener.ts';
import { joinAccepted, listen } from '../../tunnel/listener.ts';
import type { Tunnels } from '../../tunnel/tunnels.ts';
import type { ConnectRequest } from '../protocol.ts';
import type { Privileges } from './privileges.ts';

export interface ChooseNetworkOptions {
  readonly session: string;
  readonly request: Pick<ConnectRequest, 'network' | 'startsProgram' | 'elevate' | 'managedIdentity' | 'folder'>;
  readonly tunnels: Tunnels;
  readonly privileges: Privileges;
  /** Ports on which the user's program will listen. */
  readonly localPorts: ReadonlySet<number>;
  readonly program: readonly string[];
  readonly log: Log;
  notice(text: string): void;
  /** Called before the hosts file is written for the first time. */
  willWriteHosts(): void;
  /** The privileged helper is gone, and `recover` makes good what went with it. */
  helperLost(recover: (signal: AbortSignal) => Promise<void>): void;
}

/** The way taken, and why, in a sentence for the user. */
export interface ChosenNetwork {
  readonly network: WorkstationNetwork;
  readonly reason: string;
}

/** What makes `auto` go on to the next way; anything else is no property of a way. */
const obstacles: ReadonlySet<ProblemCode> = new Set([
  'privileges-needed',
  'consent-refused',
  'hosts-unwritable',
  'helper-failed',
  'namespace-unavailable',
]);

/** Problems of the way that was asked for; with `auto` there is always one that works. */
export async function chooseNetwork(options: ChooseNetworkOptions, signal: AbortSignal): Promise<ChosenNetwork> {
  const refused: { mode: NetworkMode; why: string }[] = [];
  for (const candidate of await candidates(options, signal)) {
    try {
      const network = await start(candidate.mode, options, signal);
      return { network, reason: explainChoice(candidate, refused) };
    } catch (error) {
      const isObstacle = error instanceof Problem && obstacles.has(error.code);
      if (options.request.network !== 'auto' || !isObstacle) throw error;
      refused.push({ mode: candidate.mode, why: [error.what, error.why].filter(Boolean).join(' ') });
    }
  }
  throw new Error('no way of making names work was tried');
}

async function candidates(
  { request: { network, startsProgram }, program }: ChooseNetworkOptions,
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  if (network !== 'auto') return [{ mode: network, reason: 'you asked for it' }];
  const { way } = await elevationWay(signal, { command: program });
  return autoOrder({ platform: process.platform, startsProgram, elevation: way, pasta: hasPasta() });
}

async function start(
  mode: NetworkMode,
  options: ChooseNetworkOptions,
  signal: AbortSignal,
): Promise<WorkstationNetwork> {
  const { tunnels, log, program, session, localPorts } = options;
  const dial: DialDestination = (destination, port) => tunnels.dial(destination.dial.host, port);
  const dialDatagrams: DialDestination = (destination, port) => tunnels.dialDatagrams(destination.dial.host, port);
  const lost = (error: Error) => log.write('debug', 'datagrams to a Service were lost', { error });
  const common = {
    dial: options.request.managedIdentity ? withManagedIdentity(dial) : dial,
    listen,
    datagrams: {
      dial: dialDatagrams,
      listen: (one: ListenDatagramsOptions) => listenDatagrams({ ...one, onError: lost }),
    },
    onError: (error: Error) => log.write('debug', 'a connection to a Service ended early', { error }),
  };
  switch (mode) {
    case 'hosts':
      assertAllowed(options.request.elevate);
      return startHosts({ ...common, session }, options, signal);
    case 'namespace':
      return NamespaceNetwork.start(
        {
          log,
          command: program,
          dial: common.dial,
          serve: (socket, stream) => joinAccepted(socket, stream, common.onError),
          datagrams: {
            dial: dialDatagrams,
            serve: (socket, dial) => serveDatagrams(socket, { dial, onError: lost }),
          },
          notice: (text) => options.notice(text),
          keep: [options.request.folder],
        },
        signal,
      );
    case 'env':
      return new EnvNetwork({ ...common, reserved: localPorts });
  }
}

/** Problem consent-refused if privileges would be needed and the configuration says never. */
function assertAllowed(elevate: ConnectRequest['elevate']): void {
  const needed = process.getuid?.() !== 0 && hostsFilePath() === systemHostsFile();
  if (elevate !== 'never' || !needed) return;
  throw new Problem({
    code: 'consent-refused',
    what: 'Mode hosts needs privileges, which are not asked for.',
    why: '"elevate" is "never".',
    remedy: 'Set "elevate" to "ask", or "network" to "namespace" or "env".',
  });
}

async function startHosts(
  common: Pick<HostsNetworkOptions, 'dial' | 'listen' | 'datagrams' | 'onError' | 'session'>,
  { privileges, willWriteHosts, helperLost }: ChooseNetworkOptions,
  signal: AbortSignal,
): Promise<HostsNetwork> {
  const network: HostsNetwork = await HostsNetwork.start(
    {
      ...common,
      helper: (each) => privileges.helper(each),
      willWrite: willWriteHosts,
      helperLost: () => helperLost((each) => network.recover(each)),
    },
    signal,
  );
  return network;
}
