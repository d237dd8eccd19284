/** What all clients of one session have to want alike. */
import { Problem } from '../problem.ts';
import type { ConnectRequest } from './protocol.ts';

/** Equal for requests that one session can serve. */
export function optionsOf({ ports, container, agentImage, network, otherNamespaces }: ConnectRequest): string {
  return JSON.stringify({ ports, container, agentImage, network, otherNamespaces });
}

/** The answer to a client that wants something else than the session that stands. */
export function otherOptions(request: ConnectRequest, standing: ConnectRequest): Problem {
  return new Problem({
    code: 'session-mismatch',
    what: `A session for ${request.target} stands already, with other options.`,
    why: `It has ${optionsOf(standing)}.`,
    remedy:
      'Use the same "ports", "container", "agentImage", "network" and "otherNamespaces", or end the other session first.',
  });
}
