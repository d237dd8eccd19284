/**
 * Plays a recorded session again: client and debugger say what they said, in the recorded order, and what the debug
 * adapter sends is compared with what it sent. There is no debugger, no cluster and no program.
 */
import { PassThrough } from 'node:stream';
import type { Log } from '../../diagnostics/log.ts';
import { Redactor } from '../../diagnostics/redactor.ts';
import { within } from '../../within.ts';
import type { Timing, TraceDirection } from '../options.ts';
import { serve } from '../proxy.ts';
import type { Surroundings } from '../surroundings.ts';
import { TraceContent } from '../trace/content.ts';
import { type RecordedSession, Recording } from './recording.ts';
import { framed, profilesFor, ScriptedDebugger, surroundingsOf } from './stage.ts';
import { type Difference, Timeline } from './timeline.ts';

export interface Replayed {
  /** The first difference of each direction; none if all is as it was. */
  readonly differences: readonly Difference[];
  /** Messages that came and were compared. */
  readonly compared: { readonly toClient: number; readonly toDebugger: number };
  /** Recorded messages that nobody says in a replay: of the cluster, and of the debugger's process beside DAP. */
  readonly leftOut: number;
}

export interface ReplayOptions {
  /** As it is told launch arguments in earnest. */
  readonly parse: Surroundings['parse'];
  /** How long to wait for a message beyond the time that it took then, in ms. */
  readonly patience?: number;
  /** Waiting times of the debug adapter that differ from the usual ones. */
  readonly timing?: Partial<Timing>;
}

/** No timer of the debug adapter is longer, but for those by which it ends. */
const longestWait = 31_000;
/** For messages after the last recorded one, in ms: nothing says that there are none. */
const aftermath = 300;

/** Rejects with Problem trace-unusable if the session cannot be played by itself. */
export async function replay(
  session: RecordedSession,
  { parse, patience = 5000, timing }: ReplayOptions,
): Promise<Replayed> {
  const recording = new Recording(session);
  const { entries } = recording;
  const timeline = new Timeline(entries);
  const log: Log = { redactor: new Redactor(), write: () => {} };
  const content = new TraceContent(log.redactor);
  using debug = new ScriptedDebugger(recording.silentStarts);
  if (recording.reachesDebugger) await debug.listen();
  const input = new PassThrough();
  const output = new PassThrough().resume();
  let listening = true;
  const { delegate, command } = recording;
  const over = serve({
    input,
    output,
    log,
    surroundings: surroundingsOf(recording, timeline, parse),
    profiles: profilesFor(debug, recording),
    ...(delegate !== undefined && { delegate }),
    ...(command !== undefined && { debugAdapter: { command } }),
    // An answer that was recorded is given; it is only a question of when.
    timing: { ...timing, ...(recording.disconnectIsAnswered && { disconnect: longestWait }) },
    trace: (direction, message) => {
      if (!listening) return;
      if (isInput(direction)) timeline.handled();
      else timeline.sent(direction, content.of(message));
    },
    traceEnded: () => listening && timeline.handled(),
  }).finally(() => timeline.end());

  const limit = (from: number, to: number) =>
    patience + Math.min(longestWait, (entries[to]?.time ?? 0) - (entries[from]?.time ?? 0));
  const play = (index: number) => {
    const entry = entries[index];
    if (entry === undefined) return;
    const ofClient = entry.direction === 'from client';
    if ('end' in entry) return ofClient ? input.end() : debug.hangUp();
    const message = timeline.inOwnNumbers(entry, entry.message);
    if (ofClient) input.write(framed(message));
    else debug.say(message);
  };
  const all = async (): Promise<boolean> => {
    let last = 0;
    for (const index of timeline.inputs) {
      if (!(await timeline.until(() => timeline.sentBefore(index), limit(last, index)))) return false;
      play(index);
      if (!(await timeline.until(() => timeline.handledBefore(index + 1), patience))) return false;
      last = index;
    }
    return timeline.until(() => timeline.sentBefore(entries.length), limit(last, entries.length - 1));
  };
  if (!(await all())) timeline.giveUp();
  await within(aftermath, over, undefined);
  listening = false;
  debug.hangUp();
  input.end();
  await over;
  const { leftOut, 'to client': toClient, 'to debugger': toDebugger } = timeline.counts;
  return { differences: [...timeline.differences.values()], compared: { toClient, toDebugger }, leftOut };
}

function isInput(direction: TraceDirection): direction is 'from client' | 'from debugger' {
  return direction === 'from client' || direction === 'from debugger';
}
