/** `restart`: by the real debug adapter if it can, else with a new one, so that the surroundings stay as they are. */
import type { Configured } from './configured.ts';
import type { Debugger } from './debugger.ts';
import { delegateLaunch, type Launch } from './launch.ts';
import { field, isRaw, type Raw, type Request, type Response } from './message.ts';
import type { ParsedLaunch } from './surroundings.ts';

/** The request as the real debug adapter takes it: a changed configuration in its own words, with the environment. */
export function restartRequest(request: Request, launch: Launch): Raw {
  const changed = field(request.arguments, 'arguments');
  if (!isRaw(request.arguments) || !isRaw(changed) || launch.settled === undefined) return request;
  return { ...request, arguments: { ...request.arguments, arguments: delegateLaunch(launch.settled).arguments } };
}

/** The client's changed configuration, if it sent one; IDEs send what they have resolved anew. */
export function changedConfiguration(
  request: Request,
  parse: (args: unknown) => ParsedLaunch,
): ParsedLaunch | undefined {
  const changed = field(request.arguments, 'arguments');
  return isRaw(changed) ? parse(changed) : undefined;
}

/**
 * Launches in a debug adapter that was just started, and tells it what the client has configured. `configured` resolves
 * when all of that is said; without debugging that may be never.
 */
export function launchAnew(
  to: Debugger,
  launch: Launch,
  configured: Configured,
  tell: (event: Raw) => void,
): { readonly answer: Promise<Response>; readonly configured: Promise<void> } {
  if (launch.settled === undefined) throw new Error('There was no launch to be repeated.');
  const answer = to.requests.ask(delegateLaunch(launch.settled));
  const replayed = Promise.withResolvers<void>();
  to.onInitialized = () => void configured.replay(to, tell).then(replayed.resolve);
  // Some say it before they are asked to launch.
  const early = to.held?.some((event) => event.event === 'initialized') === true;
  to.held = undefined;
  if (early) to.initialized();
  return { answer, configured: replayed.promise };
}
