/** Which session of this computer a command means. */
import { chooseContext } from '../../cluster/kubeconfig.ts';
import { type Log, silentLog } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { describeSession } from '../journal/described-acts.ts';
import { sessionKey } from './client.ts';
import type { KnownSession } from './known-sessions.ts';

/** What the user said of it. */
export interface SessionChoice {
  readonly session?: string | undefined;
  readonly target?: string | undefined;
  readonly namespace?: string | undefined;
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
}

/**
 * The key of the session that is meant: the one named, that of a target, or the only one that lives; undefined if there is
 * none. Problem bad-arguments if several live, or none has that key; those of the kubeconfig.
 */
export function chosenSession(
  { session, target, namespace, context, kubeconfig }: SessionChoice,
  known: readonly KnownSession[],
  log: Log = silentLog,
): string | undefined {
  if (session !== undefined) {
    const found = known.filter(({ key }) => key.startsWith(session));
    if (found.length === 1) return found[0]?.key;
    throw ambiguous(`There is no session "${session}".`, known);
  }
  if (target !== undefined) {
    const place = chooseContext({ kubeconfig: kubeconfig ?? process.env.KUBECONFIG, context, log });
    return sessionKey({ context: place.context, namespace: namespace ?? place.namespace, target }, place.server);
  }
  const living = known.filter(({ status }) => status !== undefined);
  if (living.length > 1) throw ambiguous('Several sessions stand.', living);
  return living[0]?.key;
}

function ambiguous(what: string, known: readonly KnownSession[]): Problem {
  const list = known.map(({ key, acts }) => `${key}: ${describeSession(acts)}`).join('; ');
  return new Problem({
    code: 'bad-arguments',
    what,
    why: list === '' ? 'None is known on this computer.' : `Known are ${list}.`,
    remedy: 'Name one with "--session KEY" or "--target TARGET".',
  });
}
