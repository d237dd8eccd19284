/** The beginning of a debug session: `initialize`, and `launch` or `attach` as far as the debugger has it. */
import { isDeepStrictEqual } from 'node:util';
import type { DebuggerProfile } from '../debuggers/profile.ts';
import { findProfile } from '../debuggers/registry.ts';
import { Problem } from '../problem.ts';
import { unlessAborted } from '../within.ts';
import { changedCapabilities, mergeCapabilities } from './capabilities.ts';
import { joinParent, type Ticket, ticketOf } from './children.ts';
import { connectSurroundings } from './connecting.ts';
import type { DebugSession, State } from './debug-session.ts';
import { cutShort } from './ending.ts';
import { eventFromDebugger } from './from-debugger.ts';
import { childLaunch, delegateLaunch, given, type Launch, parseLaunch, type Settled, startOf } from './launch.ts';
import { isRaw, isRequest, type Request, textOf } from './message.ts';
import { errorOf } from './problem-response.ts';
import { died, type Started } from './starting.ts';

export async function initialize(session: DebugSession, request: Request): Promise<void> {
  session.state = { name: 'initializing', request };
  session.initializeArguments = isRaw(request.arguments) ? request.arguments : {};
  session.client.id = session.initializeArguments.clientID;
  let profile: DebuggerProfile | undefined;
  try {
    profile = announcedProfile(session);
  } catch (error) {
    const problem = Problem.from(error);
    session.state = failedBy(problem);
    session.client.respond(request, errorOf(problem));
    return;
  }
  const started = profile && (await startEarly(session, profile));
  if (session.state.name !== 'initializing') return;
  session.state = { name: 'initialized' };
  if (started?.response.success === false) {
    // What it does not like about the client, it says in its own words.
    session.client.send({ ...started.response, request_seq: Number(request.seq) });
    session.state = { name: 'failed', code: 0 };
    return;
  }
  session.told = started?.debugger.capabilities ?? { ...profile?.capabilities };
  const frame = started?.response ?? { type: 'response', command: 'initialize', success: true };
  session.client.send({ ...frame, request_seq: Number(request.seq), body: mergeCapabilities(session.told) });
  session.release();
}

/** The delegate by command line, or by a client that can only configure the type: `kubernetes-local/debugpy`. */
function announcedProfile(session: DebugSession): DebuggerProfile | undefined {
  const adapterID = session.initializeArguments.adapterID;
  const [, encoded] = typeof adapterID === 'string' ? adapterID.split(/^kubernetes-local\//) : [];
  const type = session.options.delegate ?? encoded;
  return type === undefined ? undefined : findProfile(type, session.options.profiles);
}

/** Starts the debugger to learn what it can do. Whatever fails here is told when `launch` needs it. */
async function startEarly(session: DebugSession, profile: DebuggerProfile): Promise<Started | undefined> {
  if (profile.startsAt === 'launch') return undefined;
  const { debugAdapter, log } = session.options;
  try {
    const command = profile.command({ args: {}, ...(debugAdapter && { debugAdapter }) });
    const started = await session.starter.start({ profile, command, environment: {} }, session.timing.initialize);
    if (started !== undefined && session.state.name === 'initializing') session.debugger = started.debugger;
    return started;
  } catch (error) {
    log.write('info', 'What the debugger can do is not known before the launch.', { error });
    return undefined;
  }
}

export async function launch(session: DebugSession, launch: Launch): Promise<void> {
  session.state = { name: 'connecting', launch };
  session.launched = launch;
  const { signal } = launch.abort;
  const { earlyAnswer } = session.timing;
  const { clientID } = session.initializeArguments;
  const budget =
    typeof clientID === 'string' && Object.hasOwn(earlyAnswer, clientID) ? earlyAnswer[clientID] : undefined;
  const early =
    budget === undefined ? undefined : setTimeout(() => session.answerLaunch(launch, { success: true }), budget);
  try {
    const ticket = ticketOf(launch.request.arguments);
    await (ticket === undefined ? connect(session, launch, signal) : join(session, launch, ticket, signal));
    signal.throwIfAborted();
    forwardLaunch(session, launch);
  } catch (error) {
    await launchFailed(session, launch, Problem.from(signal.aborted ? signal.reason : error));
  } finally {
    clearTimeout(early);
    launch.over.resolve();
  }
}

async function connect(session: DebugSession, launch: Launch, signal: AbortSignal): Promise<void> {
  const { surroundings, admit, profiles } = session.options;
  const { request, verb } = launch;
  admit?.(request.arguments);
  const parsed = parseLaunch(session.options, request.arguments, verb);
  const profile = findProfile(parsed.delegateType, profiles);
  const late = profile.environmentAt(given(parsed)) === 'start' || profile.startsAt === 'launch';
  // Nothing in the cluster is touched before the debugger is known to work.
  if (!late) await prepareDebugger(session, { profile, parsed, environment: {}, place: undefined }, signal);
  const { environment, place } = await connectSurroundings({
    surroundings,
    client: session.client,
    request,
    initializeArguments: session.initializeArguments,
    questions: session.questions,
    lost: (problem) => lost(session, launch, problem),
    signal,
  });
  launch.settled = { profile, parsed, environment, place };
  // What a debug adapter was started for outside is of no use to a program that has to run elsewhere.
  if (late || place !== undefined) await prepareDebugger(session, launch.settled, signal);
}

/** A child session: its surroundings are its parent's, and mostly its debugger too. */
async function join(session: DebugSession, launch: Launch, ticket: Ticket, signal: AbortSignal): Promise<void> {
  const { socket, invitation } = await joinParent(ticket, signal);
  session.parent = socket;
  const parsed = childLaunch(invitation, launch.request.arguments);
  const profile = findProfile(parsed.delegateType, session.options.profiles);
  launch.settled = { profile, parsed, environment: {}, place: invitation.place };
  if (!invitation.served) {
    socket
      .on('error', () => {})
      .once('close', () => lost(session, launch, died(profile, 'Its parent session is over.')));
    socket.resume();
    await prepareDebugger(session, launch.settled, signal);
    return;
  }
  if (session.debugger !== undefined) void session.starter.dismiss(session.debugger, true);
  const transport = { kind: 'running', endpoint: { path: ticket.endpoint } } as const;
  const command = { argv: [], origin: 'the parent session', transport };
  const starting = session.starter.start({ profile, command, environment: {} }, session.timing.initialize, socket);
  adopt(session, profile, await unlessAborted(starting, signal));
  // We would have to end what the parent has started.
  if (session.debugger?.capabilities.supportsRestartRequest !== true) {
    const capabilities = { supportsRestartRequest: false };
    session.client.send({ type: 'event', event: 'capabilities', body: { capabilities } });
  }
}

function lost(session: DebugSession, launch: Launch, problem: Problem): void {
  if (session.state.name === 'connecting') launch.abort.abort(problem);
  else if (session.state.name === 'running' || session.state.name === 'restarting') {
    session.background(cutShort(session, problem));
  }
}

/** Sees to it that the debugger runs. */
async function prepareDebugger(session: DebugSession, settled: Settled, signal: AbortSignal): Promise<void> {
  const { profile, parsed } = settled;
  const start = startOf(settled);
  const current = session.debugger;
  if (current !== undefined) {
    const suits =
      current.profile === profile &&
      isDeepStrictEqual(current.start.command, start.command) &&
      isDeepStrictEqual(current.start.place, start.place);
    if (suits && profile.environmentAt(given(parsed)) === 'launch') return;
    session.debugger = undefined;
    void session.starter.dismiss(current, true);
  }
  const starting = session.starter.start(start, session.timing.initialize);
  const started = await unlessAborted(starting, signal);
  if (started === undefined) await profile.check(start.command, signal);
  adopt(session, profile, started);
}

/** From now on this is the debugger; a client that was told other capabilities hears of the differences. */
function adopt(session: DebugSession, profile: DebuggerProfile, started: Started | undefined): void {
  if (started === undefined) throw died(profile, session.starter.whyNot);
  const { debugger: one, response } = started;
  session.debugger = one;
  if (response.success === false) throw died(profile, textOf(response.message ?? 'It refused to start.'));
  const changed = changedCapabilities(session.told, one.capabilities);
  if (Object.keys(changed).length > 0) {
    session.client.send({ type: 'event', event: 'capabilities', body: { capabilities: changed } });
  }
}

function forwardLaunch(session: DebugSession, launch: Launch): void {
  const one = session.debugger;
  const request = delegateLaunch(launch);
  if (one === undefined) throw new Error(session.starter.whyNot);
  one.requests.forward(launch.request, { ...launch.request, ...request });
  session.state = { name: 'running', launch };
  session.watchProcesses(one);
  const events = one.held ?? [];
  one.held = undefined;
  for (const event of events) eventFromDebugger(session, one, event);
}

async function launchFailed(session: DebugSession, launch: Launch, problem: Problem): Promise<void> {
  session.state = failedBy(problem);
  session.options.log.write('warn', 'The launch failed.', { problem: problem.toJSON() });
  session.dismissCurrent(true);
  session.debugger = undefined;
  await session.client.undo();
  if (launch.answered && problem.code !== 'cancelled') session.client.tellProblem(problem);
  const early = launch.answered;
  session.answerLaunch(launch, errorOf(problem));
  // Some clients go on waiting after an error; who gave up himself knows.
  if (early || problem.code !== 'cancelled') session.client.sayTerminated();
  for (const message of session.held.splice(0)) {
    if (isRequest(message)) session.client.refuse(message, 'The debug session is over.');
  }
}

/** What the user gave up himself is no failure. */
function failedBy(problem: Problem): State {
  return { name: 'failed', code: problem.code === 'cancelled' ? 0 : problem.exitCode };
}
