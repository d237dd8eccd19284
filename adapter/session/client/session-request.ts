/**
 * From a launch configuration to a request to a session: context, namespace and image get their defaults here, and what
 * KubernetesLocalProcessConfig.yaml demands is asked for too.
 */
import { delimiter, dirname, resolve } from 'node:path';
import { chooseContext } from '../../cluster/kubeconfig.ts';
import { parseQuantity } from '../../cluster/quantity.ts';
import { type Log, silentLog } from '../../diagnostics/log.ts';
import { demandsOf } from '../../environment/process-config/demands.ts';
import {
  findProcessConfig,
  type ProcessConfig,
  readProcessConfig,
} from '../../environment/process-config/process-config.ts';
import type { LaunchConfiguration } from '../../launch/configuration.ts';
import { parseExternalEndpoint } from '../../network/names/external-endpoints.ts';
import { Problem } from '../../problem.ts';
import { version } from '../../version.ts';
import type { ConnectRequest } from '../protocol.ts';
import { sessionKey } from './client.ts';
import type { EnvironmentChoice } from './program-environment.ts';

/** Built from this repository by `npm run build`; see docs/agent-image.md for putting it into a registry. */
export const defaultAgentImage = `kubernetes-local/agent:${version}`;
const defaultLimit = '64Mi';

/** What a session is asked for, and the key of its daemon. Problems of the kubeconfig as cluster/ throws them. */
export interface SessionRequest {
  readonly key: string;
  readonly request: ConnectRequest;
  /** What the client itself makes of the session's variables for its program. */
  readonly choice: EnvironmentChoice;
  /** Whether the user wants to see where the time of connect and disconnect goes. */
  readonly timings?: boolean;
}

/** `startsProgram`: the caller starts the program itself afterwards, so its ports must be free now. */
export function sessionRequest(
  configuration: LaunchConfiguration,
  startsProgram: boolean,
  log: Log = silentLog,
): SessionRequest {
  const folder = workingFolder(configuration);
  const kubeconfig =
    configuration.kubeconfig === undefined
      ? absoluteList(process.env.KUBECONFIG, '.')
      : absoluteList(configuration.kubeconfig, folder);
  const place = chooseContext({ kubeconfig, context: configuration.context, log });
  const processConfig = processConfigOf(configuration, folder);
  const demands = processConfig && demandsOf(processConfig);
  const { environment = {}, volumes = {}, onUnresolved } = configuration;
  const endpoints = [
    ...(configuration.externalEndpoints ?? []).map(parseExternalEndpoint),
    ...(demands?.externalEndpoints ?? []),
  ];
  const namespace = configuration.namespace ?? place.namespace;
  const otherNamespaces = new Set([...(configuration.otherNamespaces ?? []), ...(demands?.namespaces ?? [])]);
  otherNamespaces.delete(namespace);
  const request: ConnectRequest = {
    target: configuration.target,
    context: place.context,
    namespace,
    ports: configuration.ports ?? {},
    agentImage: configuration.agentImage ?? process.env.KUBERNETES_LOCAL_AGENT_IMAGE ?? defaultAgentImage,
    network: configuration.network,
    otherNamespaces: [...otherNamespaces].sort(),
    onPortConflict: configuration.onPortConflict,
    onHeld: configuration.onHeld,
    elevate: configuration.elevate,
    reaper: configuration.reaper,
    reaperDelay: configuration.reaperDelay,
    externalEndpoints: distinct(endpoints),
    onUnresolved,
    fromImage: environment.fromImage ?? true,
    volumes: {
      copy: volumes.copy ?? 'auto',
      limit: bytesOf(volumes.limit ?? defaultLimit),
      writeBack: [...(volumes.writeBack ?? [])].sort(),
      localPaths: Object.fromEntries(
        Object.entries(volumes.localPaths ?? {})
          .sort()
          .map(([mountPath, local]) => [mountPath, resolve(folder, local)]),
      ),
      namedPaths: (demands?.volumeMounts ?? []).flatMap(({ name, localPath }) =>
        localPath === undefined ? [] : [{ name, localPath }],
      ),
    },
    keep: demands?.keep ?? { probes: false, lifecycle: false },
    managedIdentity: demands?.managedIdentity ?? false,
    folder,
    startsProgram,
    clientPid: process.pid,
    ...(configuration.container !== undefined && { container: configuration.container }),
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...proxyProtocolOf(configuration),
  };
  const choice = { environment, onUnresolved, processConfig, folder };
  return { key: sessionKey(request, place.server), request, choice, timings: configuration.timings ?? false };
}

/** `true` is the version that says most. */
function proxyProtocolOf({ proxyProtocol }: LaunchConfiguration): Pick<ConnectRequest, 'proxyProtocol'> {
  if (proxyProtocol === undefined || proxyProtocol === false) return {};
  return { proxyProtocol: proxyProtocol === true ? 'v2' : proxyProtocol };
}

/** The file that the configuration names, or the one beside the program, or in its working folder. */
function processConfigOf({ processConfig, delegate }: LaunchConfiguration, folder: string): ProcessConfig | undefined {
  if (processConfig === false) return undefined;
  const program = delegate?.program;
  const beside = typeof program === 'string' ? [dirname(resolve(folder, program))] : [];
  const file =
    typeof processConfig === 'string' ? resolve(folder, processConfig) : findProcessConfig([...beside, folder]);
  if (file === undefined) return undefined;
  return readProcessConfig(file);
}

function workingFolder({ delegate }: LaunchConfiguration): string {
  return resolve(typeof delegate?.cwd === 'string' ? delegate.cwd : '.');
}

/** Paths of a kubeconfig list, which the daemon reads too, wherever it was started. Nothing for an empty list. */
function absoluteList(list: string | undefined, folder: string): string | undefined {
  const paths = (list ?? '').split(delimiter).filter(Boolean);
  return paths.length === 0 ? undefined : paths.map((path) => resolve(folder, path)).join(delimiter);
}

function bytesOf(quantity: string): number {
  const bytes = parseQuantity(quantity);
  if (bytes === undefined || bytes > Number.MAX_SAFE_INTEGER) {
    throw new Problem({
      code: 'bad-value',
      what: `"${quantity}" is no limit for the size of a volume.`,
      why: 'It is a quantity of Kubernetes.',
      remedy: 'Write for example "64Mi" or "2Gi".',
    });
  }
  return Math.floor(bytes);
}

function textOf({ host, port, protocol }: ConnectRequest['externalEndpoints'][number]): string {
  return `${host}:${port}${protocol === undefined ? '' : '/udp'}`;
}

function distinct(endpoints: ConnectRequest['externalEndpoints']): ConnectRequest['externalEndpoints'] {
  return [...new Map(endpoints.map((each) => [textOf(each), each])).values()].sort((a, b) =>
    textOf(a) < textOf(b) ? -1 : 1,
  );
}
