/** What all clients of one session have to want alike. */
import { Problem } from '../../problem.ts';
import type { ConnectRequest } from '../protocol.ts';

/** Equal for requests that one session can serve. */
export function optionsOf(request: ConnectRequest): string {
  const { ports, container, agentImage, network, otherNamespaces, reaper, reaperDelay } = request;
  const { externalEndpoints, onUnresolved, fromImage, volumes, keep, managedIdentity, proxyProtocol } = request;
  const common = { ports, container, agentImage, network, otherNamespaces, reaper, reaperDelay };
  const program = { externalEndpoints, onUnresolved, fromImage, volumes, keep, managedIdentity, proxyProtocol };
  return JSON.stringify({ ...common, ...program });
}

/** The answer to a client that wants something else than the session that stands. */
export function otherOptions(request: ConnectRequest, standing: ConnectRequest): Problem {
  return new Problem({
    code: 'session-mismatch',
    what: `A session for ${request.target} stands already, with other options.`,
    why: `It has ${optionsOf(standing)}.`,
    remedy:
      'Give both the same options (and the same KubernetesLocalProcessConfig.yaml), or end the other one first: "kubernetes-local disconnect", if nobody uses it.',
  });
}
