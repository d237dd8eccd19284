/** The end of a debug session, whoever wants it: nothing is left when the client hears of it. */
import type { Problem } from '../problem.ts';
import { within } from '../within.ts';
import type { DebugSession, State } from './debug-session.ts';
import type { Debugger } from './debugger.ts';
import { givenUp } from './launch.ts';
import { field, isRequest, type Raw, type Request } from './message.ts';
import { errorOf } from './problem-response.ts';
import type { Keep } from './surroundings.ts';

/** These end us as soon as `terminate` is answered (field notes, §1.6). */
const clientsThatKillOnTerminate = new Set<unknown>(['lsp4e.debug', 'dape']);
/** A client that starts the program again does so at once; IDEs ask their configuration providers first. */
export const forRestart: Keep = { for: 'restart', ms: 15_000 };

export function terminate(session: DebugSession, request: Request): void {
  const state = session.state;
  if (field(request.arguments, 'restart') === true) session.keep = forRestart;
  const done = () => {
    session.client.respond(request, { success: true });
    session.client.sayTerminated();
  };
  if (state.name === 'waiting-for-initialize') {
    session.client.refuse(request, 'The first request must be initialize.');
  } else if (state.name === 'restarting') {
    session.held.push(request);
  } else if (state.name === 'connecting') {
    state.launch.abort.abort(givenUp());
    void state.launch.over.promise.then(done);
  } else if (state.name === 'running' && session.client.hasHeardTerminated) {
    session.client.respond(request, { success: true });
    session.background(endWithoutFarewell(session));
  } else if (state.name === 'running' && session.debugger !== undefined) {
    // A request to the program, which may refuse: the surroundings stay until it has really ended.
    if (session.debugger.capabilities.supportsTerminateRequest === true) session.debugger.requests.forward(request);
    else session.background(stopProgram(session, session.debugger).then(done));
  } else {
    done();
  }
}

/** For a client that answers `terminated` by `terminate` and then waits for our end (Sublime Text, `Session.stop`). */
async function endWithoutFarewell(session: DebugSession): Promise<void> {
  await within(session.timing.farewell, session.over.promise, undefined);
  await clientGone(session, 'It waits for the end of the debug adapter.');
}

/** `terminate` for debug adapters that only know `disconnect`. */
async function stopProgram(session: DebugSession, one: Debugger): Promise<void> {
  session.programEnded = true;
  const undo = session.client.undo();
  await session.askToDisconnect(one, session.ownDisconnect());
  await undo;
}

/** Keeps the debugger's answer to `terminate` back for a client that ends us on it; false for any other client. */
export function holdTerminate(session: DebugSession, answer: Raw): boolean {
  if (!clientsThatKillOnTerminate.has(session.initializeArguments.clientID)) return false;
  session.heldTerminate = answer;
  // The debuggee may refuse to end; then the client must not wait for ever.
  setTimeout(() => releaseTerminate(session), session.timing.undo).unref();
  return true;
}

export function releaseTerminate(session: DebugSession, afterUndo = false): void {
  const message = session.heldTerminate;
  session.heldTerminate = undefined;
  if (message === undefined) return;
  if (afterUndo) session.client.sendAfterUndo(message);
  else session.client.send(message);
}

export async function disconnect(session: DebugSession, request: Request): Promise<void> {
  const state = session.state;
  if (state.name === 'ended') return;
  if (state.name === 'ending') {
    await session.client.undo();
    session.client.respond(request, { success: true });
    session.farewell.resolve();
    return;
  }
  const leave = await leavesProgram(session, request);
  const code = await beginEnding(session, state);
  const one = session.debugger;
  const response = one && (await session.askToDisconnect(one, request));
  if (one !== undefined) session.abandon(one, givenUp());
  // Nothing of what the debugger says from now on may overtake its answer.
  session.client.sendAfterUndo({
    ...(response ?? { type: 'response', success: true }),
    command: request.command,
    request_seq: Number(request.seq),
  });
  session.dismissCurrent(!leave);
  await session.client.undo();
  session.finish(code);
}

/** Whether the program outlives the session by the client's wish; decides what the surroundings are kept for. */
async function leavesProgram(session: DebugSession, request: Request): Promise<boolean> {
  if (field(request.arguments, 'restart') === true) session.keep = forRestart;
  const one = session.debugger;
  const launched = session.launched !== undefined && !session.launched.attaches;
  const leaves = field(request.arguments, 'terminateDebuggee') === false && launched && !session.programEnded;
  if (!leaves || one === undefined) return leaves;
  if (field(request.arguments, 'suspendDebuggee') === true) {
    session.client.tell('The program stays suspended; its way into the cluster ends now.', 'important');
  } else {
    session.tellPrograms(await one.delegate.tree.refresh());
    session.keep ??= { for: 'program' };
  }
  return true;
}

/** Gives up what is under way and begins the undo, in parallel to the end of the program. Returns the exit code. */
async function beginEnding(session: DebugSession, state: State): Promise<number> {
  if (state.name === 'connecting') {
    state.launch.abort.abort(givenUp());
    await state.launch.over.promise;
  }
  if (state.name === 'initializing') session.client.respond(state.request, errorOf(givenUp()));
  const code = session.state.name === 'failed' ? session.state.code : 0;
  session.state = { name: 'ending' };
  for (const message of session.held.splice(0)) {
    if (isRequest(message)) session.client.refuse(message, 'The debug session is over.');
  }
  void session.client.undo();
  return code;
}

/** End of file from the client, or a signal: nobody listens any more. */
export async function clientGone(session: DebugSession, why: string): Promise<void> {
  session.options.log.write('info', 'The client is gone.', { why });
  const state = session.state;
  if (state.name !== 'ended') session.options.traceEnded?.('from client', why);
  session.farewell.resolve();
  if (state.name === 'ending' || state.name === 'ended') return;
  const code = await beginEnding(session, state);
  if (session.debugger !== undefined) await session.askToDisconnect(session.debugger, session.ownDisconnect());
  session.dismissCurrent(true);
  await session.client.undo();
  session.finish(code);
}

/** The session ends by no wish of the client: the connection is lost, or the debugger died (`dead`). */
export async function cutShort(session: DebugSession, problem: Problem, dead?: Debugger): Promise<void> {
  session.options.log.write('error', 'The debug session is cut short.', { problem: problem.toJSON() });
  // All that is said from here on means the end.
  session.client.holdUntilUndone();
  const one = dead ?? session.debugger;
  if (dead !== undefined) session.abandon(dead, problem);
  session.state = { name: 'ending' };
  session.client.tellProblem(problem);
  if (one !== undefined && dead === undefined) {
    await session.askToDisconnect(one, session.ownDisconnect());
    session.abandon(one, problem);
  }
  if (one !== undefined) void session.starter.dismiss(one, true);
  session.dismissCurrent(true);
  await session.client.undo();
  session.client.sayTerminated();
  await within(session.timing.farewell, session.farewell.promise, undefined);
  session.finish(problem.exitCode);
}
