import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError } from 'commander';
import { field, type Raw } from '../dap/message.ts';
import type { RecordedSession } from '../dap/replay/recording.ts';
import { type Replayed, replay } from '../dap/replay/replay.ts';
import type { Difference } from '../dap/replay/timeline.ts';
import type { TraceEntry, TraceHead } from '../dap/trace/format.ts';
import { readTrace } from '../dap/trace/reading.ts';
import { describe, TraceText, visible } from '../dap/trace/text.ts';
import { Problem } from '../problem.ts';
import { version } from '../version.ts';
import { parseLaunchArguments } from './launch-arguments.ts';

interface Flags {
  readonly session?: number;
  readonly full?: true;
  readonly replay?: true;
}

/** Characters of a line where there is no terminal that has a width. */
const usualWidth = 160;

/** `trace FILE`: what `dap --trace` has written, for people; or played again. */
export function traceCommand(): Command {
  return new Command('trace')
    .description('show what dap --trace has written, or play a session of it again')
    .argument('<file>', 'the trace')
    .option('--session <number>', 'only this session; they are counted from 1', parseNumber)
    .option('--full', 'whole lines, not cut to the width of the terminal')
    .option('--replay', 'play the session again, without debugger and cluster; exit code 1 if it goes another way')
    .action(async (file: string, flags: Flags) => {
      if (flags.replay) process.exitCode = await playAgain(file, flags);
      else await print(linesOf(file, flags));
    });
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('It is a number from 1.');
  return number;
}

async function* linesOf(file: string, { session: wanted, full }: Flags): AsyncGenerator<string> {
  const text = new TraceText(columns(full));
  const shown = new Set<TraceHead>();
  let last = 0;
  for await (const part of readTrace(file)) {
    if (part.kind === 'entry') last = Math.max(last, part.session);
    if (part.kind === 'cut short') yield `Line ${part.line} is cut short: its writer was ended, or the disk is full.`;
    if (part.kind === 'cut short' || (part.kind === 'entry' && wanted !== undefined && part.session !== wanted))
      continue;
    if (!shown.has(part.head) && (part.kind === 'entry' || wanted === undefined)) {
      shown.add(part.head);
      yield text.head(part.head);
    }
    if (part.kind === 'entry') yield text.entry(part.session, part.entry);
  }
  if (wanted !== undefined && shown.size === 0) throw noSession(file, wanted, last);
}

/** Returns the exit code. */
async function playAgain(file: string, { session: wanted, full }: Flags): Promise<number> {
  const sessions = new Map<number, RecordedSession & { readonly entries: TraceEntry[] }>();
  for await (const part of readTrace(file)) {
    if (part.kind !== 'entry' || (wanted ?? part.session) !== part.session) continue;
    const session = sessions.get(part.session) ?? { head: part.head, entries: [] };
    session.entries.push(part.entry);
    sessions.set(part.session, session);
  }
  const [[number, session] = []] = sessions;
  if (number === undefined || session === undefined) throw noSession(file, wanted ?? 1, 0);
  if (sessions.size > 1) {
    throw new Problem({
      code: 'bad-arguments',
      what: `${file} has ${sessions.size} sessions.`,
      why: 'One is played at a time.',
      remedy: `Choose one with --session, from 1 to ${sessions.size}.`,
    });
  }
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
  });
  const replayed = await replay(session, { parse: parseLaunchArguments });
  if (interrupted) throw Problem.cancelled();
  await print(resultOf(number, session.head, replayed, columns(full)));
  return replayed.differences.length === 0 ? 0 : 1;
}

function* resultOf(number: number, head: TraceHead, replayed: Replayed, width: number): Generator<string> {
  const { differences, compared, leftOut } = replayed;
  const how = differences.length === 0 ? 'It went as recorded.' : 'It went another way.';
  yield `Session ${number}, recorded with version ${head.version}, was played again with version ${version}. ${how}`;
  const { toClient, toDebugger } = compared;
  yield `Compared: ${toClient} messages to the client, ${toDebugger} to the debugger.${
    leftOut === 0 ? '' : ` Left out: ${leftOut} of the cluster, or of the debugger's process beside DAP.`
  }`;
  for (const difference of differences) yield* linesOfDifference(difference, width);
}

function* linesOfDifference({ direction, recorded, now, place }: Difference, width: number): Generator<string> {
  const when = recorded === undefined ? '' : `, at ${(recorded.time / 1000).toFixed(3)}`;
  yield `First difference ${direction}${when}${place === undefined ? '' : `, in ${place.join('.')}`}:`;
  const none = direction.startsWith('from') ? 'is not taken' : 'nothing';
  yield visible(`  recorded  ${recorded === undefined ? 'nothing' : inWords(recorded, place)}`, width);
  yield visible(`  now       ${now === undefined ? none : inWords({ message: now }, place)}`, width);
}

/** With all details, or of two messages that are alike only the one that is not. */
function inWords(entry: TraceEntry | { readonly message: Raw }, place: readonly string[] | undefined): string {
  if ('end' in entry) return `gone: ${entry.end}`;
  const { what, details } = describe(entry.message);
  if (place === undefined) return `${what}  ${details}`.trimEnd();
  const value = place.reduce<unknown>(
    (all, key) => (Array.isArray(all) ? all[Number(key)] : field(all, key)),
    entry.message,
  );
  return `${what}  ${value === undefined ? 'without it' : JSON.stringify(value)}`;
}

function noSession(file: string, wanted: number, last: number): Problem {
  return new Problem({
    code: 'bad-arguments',
    what: `${file} has no session ${wanted}.`,
    why: last === 0 ? '' : `Its last one is ${last}.`,
    remedy: 'Leave --session away to see all.',
  });
}

function columns(full = false): number {
  return full ? Number.POSITIVE_INFINITY : (process.stdout.columns ?? usualWidth);
}

async function print(lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
  const ended = async function* (all: typeof lines) {
    for await (const line of all) yield `${line}\n`;
  };
  try {
    await pipeline(lines, ended, process.stdout, { end: false });
  } catch (error) {
    // Who reads it has seen enough: `| head`.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
}
