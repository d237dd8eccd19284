/** `restart`: by the real debug adapter if it can, else with a new one, so that the surroundings stay as they are. */
import { findProfile } from '../debuggers/registry.ts';
import type { Configured } from './configured.ts';
import type { DebugSession } from './debug-session.ts';
import type { Debugger } from './debugger.ts';
import { cutShort } from './ending.ts';
import { delegateLaunch, givenUp, type Launch, parseLaunch, startOf } from './launch.ts';
import { field, isRaw, type Raw, type Request, type Response, textOf } from './message.ts';
import { errorOf } from './problem-response.ts';
import { died } from './starting.ts';
import type { ParsedLaunch } from './surroundings.ts';

/**
 * The request as the real debug adapter takes it: with the latest configuration in its own words, and the environment.
 * The client may leave it out, but js-debug does not expect that.
 */
function restartRequest(request: Request, launch: Launch): Raw {
  const own = isRaw(request.arguments) ? request.arguments : {};
  return { ...request, arguments: { ...own, arguments: delegateLaunch(launch).arguments } };
}

/** The client's changed configuration, if it sent one; IDEs send what they have resolved anew. */
function changedConfiguration(request: Request, parse: (args: unknown) => ParsedLaunch): ParsedLaunch | undefined {
  const changed = field(request.arguments, 'arguments');
  return isRaw(changed) ? parse(changed) : undefined;
}

/**
 * Launches in a debug adapter that was just started, and tells it what the client has configured. `configured` resolves
 * when all of that is said; without debugging that may be never.
 */
function launchAnew(
  to: Debugger,
  launch: Launch,
  configured: Configured,
  tell: (event: Raw) => void,
): { readonly answer: Promise<Response>; readonly configured: Promise<void> } {
  const answer = to.requests.ask(delegateLaunch(launch));
  const replayed = Promise.withResolvers<void>();
  to.onInitialized = () => void configured.replay(to, tell).then(replayed.resolve);
  // Some say it before they are asked to launch.
  const early = to.held?.some((event) => event.event === 'initialized') === true;
  to.held = undefined;
  if (early) to.initialized();
  return { answer, configured: replayed.promise };
}

/** In place of an answer that will not come. */
const failure = { success: false, message: undefined } as const;
/** Settles only for an answer that says no. */
const failed = ({ success }: Response) => (success === false ? undefined : new Promise<never>(() => {}));

export function restart(session: DebugSession, request: Request, launch: Launch, one: Debugger): void {
  const { options } = session;
  if (launch.settled !== undefined && session.parent === undefined) {
    const changed = changedConfiguration(request, (args) => parseLaunch(options, args, launch.verb));
    const profile = changed && findProfile(changed.delegateType, options.profiles);
    if (changed && profile) launch.settled = { ...launch.settled, parsed: changed, profile };
  }
  const same = launch.settled?.profile === one.profile;
  if (same && one.capabilities.supportsRestartRequest === true && !one.profile.restartsBadly) {
    one.requests.forward(request, restartRequest(request, launch));
  } else if (session.parent !== undefined) {
    session.client.refuse(request, 'This debugger restarts a child session only with its parent.');
  } else {
    session.background(restartAnew(session, request, launch, one));
  }
}

/** Replaces the debugger by a new one, for the same surroundings. */
async function restartAnew(session: DebugSession, request: Request, launch: Launch, old: Debugger): Promise<void> {
  const { settled } = launch;
  if (settled === undefined) return;
  session.state = { name: 'restarting', launch };
  const unchanged = () => session.state.name === 'restarting';
  clearInterval(session.look);
  old.retired = true;
  await session.askToDisconnect(old, session.ownDisconnect());
  session.abandon(old, givenUp());
  await session.starter.dismiss(old, !launch.attaches);
  if (!unchanged()) return session.client.respond(request, errorOf(givenUp()));
  for (const threadId of old.threads) {
    session.client.send({ type: 'event', event: 'thread', body: { reason: 'exited', threadId } });
  }
  const { profile } = settled;
  const started = await session.starter.start(startOf(settled), session.timing.initialize);
  if (!unchanged()) return session.client.respond(request, errorOf(givenUp()));
  if (started === undefined || started.response.success === false) {
    const problem = died(profile, session.starter.whyNot);
    session.client.respond(request, errorOf(problem));
    return cutShort(session, problem);
  }
  const one = started.debugger;
  session.debugger = one;
  session.programEnded = false;
  session.watchProcesses(one);
  const gone = one.delegate.exited.then(() => failure);
  const { answer, configured } = launchAnew(one, launch, session.configured, (event) => session.client.send(event));
  // The client's own messages come after what it had configured.
  await Promise.race([launch.noDebug ? answer : configured, answer.then(failed), gone]);
  if (unchanged()) {
    session.state = { name: 'running', launch };
    session.release();
  }
  const { success, message } = await Promise.race([answer, gone]);
  if (success !== false) return session.client.respond(request, { success: true });
  const problem = died(profile, textOf(message ?? 'It refused to start the program.'));
  session.client.respond(request, errorOf(problem));
  if (session.state.name === 'running' || unchanged()) return cutShort(session, problem);
}
