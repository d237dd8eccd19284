/** Messages of the real debug adapter on their way to the client. */
import type { DebugSession } from './debug-session.ts';
import type { Debugger } from './debugger.ts';
import { cutShort, forRestart, holdTerminate, releaseTerminate } from './ending.ts';
import { adoptChild } from './inner.ts';
import { givenUp, type Launch } from './launch.ts';
import { type Event, field, isEvent, isRaw, isRequest, isResponse, type Raw, type Request } from './message.ts';
import { concealedEvent, refuse } from './reverse-requests.ts';
import { died } from './starting.ts';
import { programOf, reasonIn, translateEvent } from './translate.ts';

export function fromDebugger(session: DebugSession, from: Debugger, message: Raw): void {
  // One that was dismissed has nothing to say any more, but for its answer to our farewell.
  if (from.dismissed) {
    if (isResponse(message)) from.requests.answer(message);
    return;
  }
  session.trace('from debugger', message);
  if (isResponse(message)) {
    const answer = from.requests.answer(message);
    if (answer !== undefined) answerFromDebugger(session, from, answer.request, answer.message);
  } else if (isEvent(message)) {
    eventFromDebugger(session, from, message);
  } else if (isRequest(message)) {
    requestFromDebugger(session, from, message);
  } else if (message.type !== 'response') {
    session.client.send(message);
  }
  session.channel.throttle(from.delegate.channel);
}

function requestFromDebugger(session: DebugSession, from: Debugger, request: Request): void {
  const known = session.initializeArguments.supportsStartDebuggingRequest === true;
  if (request.command !== 'startDebugging' || known || from.profile.childEndpoint === undefined) {
    session.reverse.pass(from, request, session.launched?.clientType ?? 'kubernetes-local');
    return;
  }
  if (from !== session.debugger) {
    refuse(from, request, 'The client can show one debug session only.');
    return;
  }
  const adopting = adoptChild(from, request, {
    configured: session.configured,
    start: (parent, endpoint) => {
      const transport = { kind: 'running', endpoint } as const;
      const command = { argv: [], origin: 'the parent session', transport };
      const start = { profile: parent.profile, command, environment: {}, place: parent.start.place };
      return session.starter.start(start, session.timing.initialize);
    },
    tell: (event) => session.client.send(event),
  });
  session.background(adopting);
}

function answerFromDebugger(session: DebugSession, from: Debugger, request: Request, answer: Raw): void {
  const message = from.breakpointIds?.translate(answer) ?? answer;
  session.configured.answered(request, message);
  if (session.state.name === 'running' && request === session.state.launch.request) {
    launchAnswered(session, session.state.launch, message);
  } else if (request.command !== 'terminate' || !holdTerminate(session, message)) {
    session.client.send(message);
  }
}

function launchAnswered(session: DebugSession, launch: Launch, message: Raw): void {
  const early = launch.answered;
  launch.answered = true;
  if (message.success !== false) {
    if (!early) session.client.send(message);
    if (launch.noDebug && !session.initializedSeen) {
      const event = session.noDebug.initializedFor(session.initializeArguments.clientID);
      if (event !== undefined) session.client.send(event);
    }
  } else if (early) {
    session.client.tell(reasonIn(message), 'important');
    session.client.sayTerminated();
  } else {
    session.client.sendAfterUndo(message);
  }
  session.release();
}

export function eventFromDebugger(session: DebugSession, from: Debugger, event: Event): void {
  if (from.held !== undefined && (event.event === 'initialized' || from.held.length > 0)) {
    from.held.push(event);
    return;
  }
  if (session.isRepeated(from, event)) return;
  from.note(event);
  const inner = session.debugger !== undefined && session.debugger.inner === from;
  if (from.retired && event.event !== 'output') return;
  switch (event.event) {
    case 'initialized':
      if (from.initialized()) return;
      session.initializedSeen = true;
      session.client.send(event);
      session.release();
      return;
    case 'terminated':
      if (inner && session.debugger !== undefined) {
        // Its parent says it too, when its last child has ended.
        innerGone(session, session.debugger, from);
      } else terminated(session, event);
      return;
    case 'exited':
      if (!inner) session.programEnded = true;
      break;
    case 'process':
      programSeen(session, from, event);
      break;
    case 'debugpyAttach':
      session.background(childOfDebugpy(session, from, event));
      return;
  }
  session.client.send(translateEvent(from.breakpointIds?.translate(event) ?? event, from.requests));
}

function terminated(session: DebugSession, event: Event): void {
  session.programEnded = true;
  if (field(event.body, 'restart')) {
    // The client starts the program again, at once, in a session of its own.
    session.keep = forRestart;
    releaseTerminate(session);
    session.client.send(event);
    return;
  }
  releaseTerminate(session, true);
  session.client.passTerminated(event);
}

/** debugpy below 1.6.7 asks in its own way for a child session. */
async function childOfDebugpy(session: DebugSession, from: Debugger, event: Event): Promise<void> {
  const type = session.launched?.clientType ?? 'kubernetes-local';
  if (session.initializeArguments.supportsStartDebuggingRequest !== true || !isRaw(event.body)) {
    session.client.send(concealedEvent(event));
  } else if (!(await session.reverse.startChild(from, event.body, type))) {
    session.client.tell('The client did not start a debug session for a process of the program.', 'console');
  }
}

function programSeen(session: DebugSession, from: Debugger, event: Event): void {
  const program = programOf(event);
  if (program === undefined) return;
  // A program that was running before is not ours to end, so it does not join the tree.
  if (session.launched?.attaches || !program.started) {
    session.options.surroundings.processStarted(program.pid, 'attached');
  } else {
    session.background(from.delegate.tree.add(program.pid, 'program').then((pids) => session.tellPrograms(pids)));
  }
}

export function debuggerGone(session: DebugSession, from: Debugger, how: string): void {
  session.options.traceEnded?.('from debugger', how);
  const main = session.debugger;
  if (main?.inner === from) innerGone(session, main, from);
  if (main !== from) return;
  session.debugger = undefined;
  session.starter.remember(from, how);
  const problem = died(from.profile, session.starter.whyNot);
  const state = session.state;
  if (from.profile.isProgram && from.delegate.exitedByItself && session.launched?.answered) session.programEnded = true;
  if (state.name === 'running' && !session.programEnded) {
    session.background(cutShort(session, problem, from));
    return;
  }
  // It ended in peace, or before anything began: then it is started again when it is needed.
  session.abandon(from, problem);
  void session.starter.dismiss(from, true);
  if (state.name === 'connecting') state.launch.abort.abort(problem);
  if (state.name === 'running') session.client.sayTerminated();
}

function innerGone(session: DebugSession, parent: Debugger, child: Debugger): void {
  parent.inner = undefined;
  session.abandon(child, givenUp());
  void session.starter.dismiss(child, false);
}
