/** From a launch configuration to a request to a session: context, namespace and image get their defaults here. */
import { chooseContext } from '../cluster/kubeconfig.ts';
import { type Log, silentLog } from '../diagnostics/log.ts';
import type { LaunchConfiguration } from '../launch/configuration.ts';
import { sessionKey } from '../session/client.ts';
import type { ConnectRequest } from '../session/protocol.ts';
import { version } from './version.ts';

/** Built from this repository by `npm run build`; see docs/agent-image.md for putting it into a registry. */
const defaultAgentImage = `kubernetes-local/agent:${version}`;

/** What a session is asked for, and the key of its daemon. Problems of the kubeconfig as cluster/ throws them. */
export interface SessionRequest {
  readonly key: string;
  readonly request: ConnectRequest;
}

/** `startsProgram`: the caller starts the program itself afterwards, so its ports must be free now. */
export function sessionRequest(
  configuration: LaunchConfiguration,
  startsProgram: boolean,
  log: Log = silentLog,
): SessionRequest {
  const kubeconfig = configuration.kubeconfig ?? process.env.KUBECONFIG;
  const place = chooseContext({ kubeconfig, context: configuration.context, log });
  const request: ConnectRequest = {
    target: configuration.target,
    context: place.context,
    namespace: configuration.namespace ?? place.namespace,
    ports: configuration.ports ?? {},
    agentImage: configuration.agentImage ?? process.env.KUBERNETES_LOCAL_AGENT_IMAGE ?? defaultAgentImage,
    network: configuration.network,
    otherNamespaces: [...(configuration.otherNamespaces ?? [])].sort(),
    onPortConflict: configuration.onPortConflict,
    elevate: configuration.elevate,
    startsProgram,
    clientPid: process.pid,
    ...(configuration.container !== undefined && { container: configuration.container }),
    ...(kubeconfig !== undefined && { kubeconfig }),
  };
  return { key: sessionKey(request, place.server), request };
}
