/** Messages of the client: which the debugger gets, now or later, and which we answer. */
import { Problem } from '../problem.ts';
import { progressId } from './connecting.ts';
import type { DebugSession } from './debug-session.ts';
import type { Debugger } from './debugger.ts';
import { diagnostics, diagnosticsCommand } from './diagnostics.ts';
import { disconnect, terminate } from './ending.ts';
import { givenUp, Launch } from './launch.ts';
import { field, isRaw, isRequest, isResponse, type Raw, type Request } from './message.ts';
import { initialize, launch } from './opening.ts';
import { errorOf } from './problem-response.ts';
import { answerCommand } from './questions.ts';
import { restart } from './restart.ts';

export function fromClient(session: DebugSession, message: Raw): void {
  session.trace('from client', message);
  handle(session, message);
  session.front?.delegate.channel.throttle(session.channel);
}

/** Whatever is wrong with one message is its answer, and no matter of the others. */
function handle(session: DebugSession, message: Raw): void {
  try {
    if (isRequest(message)) requestFromClient(session, message);
    else if (isResponse(message)) session.reverse.answered(message);
    else if (message.type !== 'response') pass(session, message);
  } catch (error) {
    session.options.log.write('error', 'A message of the client could not be handled.', { error });
    if (isRequest(message)) session.client.respond(message, errorOf(Problem.from(error)));
  }
}

function requestFromClient(session: DebugSession, request: Request): void {
  const state = session.state;
  switch (request.command) {
    case 'initialize':
      if (state.name === 'waiting-for-initialize') session.background(initialize(session, request));
      else session.client.refuse(request, 'initialize may be sent only once.');
      return;
    case diagnosticsCommand:
      session.background(diagnostics(session, request));
      return;
    case answerCommand:
      if (session.questions === undefined) pass(session, request);
      else session.questions.answered(request);
      return;
    case 'disconnect':
      session.background(disconnect(session, request));
      return;
    case 'terminate':
      terminate(session, request);
      return;
    case 'cancel':
      if (!cancel(session, request)) pass(session, request);
      return;
    case 'launch':
    case 'attach':
      if (state.name === 'initialized')
        session.background(
          launch(
            session,
            new Launch(request, request.command, session.initializeArguments.supportsStartDebuggingRequest !== true),
          ),
        );
      else pass(session, request);
      return;
    case 'restart':
      if (state.name === 'running' && session.debugger !== undefined) {
        restart(session, request, state.launch, session.debugger);
      } else {
        pass(session, request);
      }
      return;
    default:
      pass(session, request);
  }
}

/** A message of the client goes to the debugger now, or when the debugger can take it. */
function pass(session: DebugSession, message: Raw): void {
  const request = isRequest(message) ? message : undefined;
  switch (session.state.name) {
    case 'waiting-for-initialize':
      if (request !== undefined) session.client.refuse(request, 'The first request must be initialize.');
      return;
    case 'failed':
    case 'ending':
    case 'ended':
      if (request !== undefined) session.client.refuse(request, 'The debug session is over.');
      return;
    case 'initializing':
    case 'connecting':
    case 'restarting':
      session.held.push(message);
      return;
    case 'initialized':
    case 'running':
  }
  const front = session.front;
  if (session.held.length > 0 || (front === undefined && session.state.name === 'initialized')) {
    session.held.push(message);
  } else if (front === undefined) {
    if (request !== undefined) session.client.refuse(request, 'The debugger has ended.');
  } else if (request === undefined) {
    front.delegate.channel.send(message);
  } else {
    forward(session, request, front);
  }
}

function forward(session: DebugSession, request: Request, to: Debugger): void {
  session.configured.asked(request);
  const ours = session.noDebug.answer(request);
  if (ours !== undefined) {
    session.client.respond(request, ours);
  } else if (request.command === 'configurationDone' && to.capabilities.supportsConfigurationDoneRequest !== true) {
    session.client.respond(request, { success: true });
  } else {
    to.requests.forward(request);
  }
}

/** Lets the client's held messages go. */
export function release(session: DebugSession): void {
  for (const message of session.held.splice(0)) handle(session, message);
}

/** Whether the cancel request has been dealt with: by stopping what we do, or by saying that it cannot be done. */
function cancel(session: DebugSession, request: Request): boolean {
  const id = field(request.arguments, 'requestId');
  const ours = field(request.arguments, 'progressId') === progressId;
  const state = session.state;
  const done = () => {
    session.client.respond(request, { success: true });
    return true;
  };
  if (state.name === 'connecting' && (ours || Number(state.launch.request.seq) === id)) {
    state.launch.abort.abort(givenUp());
    return done();
  }
  if (ours) return done();
  const held = session.held.findIndex((one) => isRequest(one) && Number(one.seq) === id);
  const [unsent] = held === -1 ? [] : session.held.splice(held, 1);
  if (unsent !== undefined && isRequest(unsent)) {
    session.client.respond(unsent, errorOf(givenUp()));
    return done();
  }
  const front = session.front;
  // `cancel` is a hint and its success promises nothing (DAP, "Cancel Request").
  if (front?.capabilities.supportsCancelRequest !== true) return done();
  const requestId = front.requests.sentAs(id);
  if (id === undefined) return false;
  if (requestId === undefined) return done();
  const asked = isRaw(request.arguments) ? request.arguments : {};
  front.requests.forward(request, { ...request, arguments: { ...asked, requestId } });
  return true;
}
