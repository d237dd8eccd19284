/** Reads a trace, for people and for the replay. Nobody has to trust what stands in it. */
import { createReadStream, statSync } from 'node:fs';
import { z } from 'zod';
import { Problem } from '../../problem.ts';
import { isRaw } from '../message.ts';
import { parseLossless } from '../wire/json.ts';
import { type TraceEntry, type TraceHead, traceEnd, traceHead, traceMessage } from './format.ts';

export type TracePart =
  | { readonly kind: 'head'; readonly head: TraceHead }
  /** `session`: counted through the whole file, from 1. */
  | { readonly kind: 'entry'; readonly head: TraceHead; readonly session: number; readonly entry: TraceEntry }
  /** A line that its writer could not finish. */
  | { readonly kind: 'cut short'; readonly line: number };

/** No line that we write is longer: a message has at most 200,000 characters, each at most six in JSON. */
const longestLine = 4_000_000;

/** All parts in the order of the file. Rejects with Problem trace-unusable, naming file and line. */
export async function* readTrace(path: string): AsyncGenerator<TracePart> {
  const starts = new Map<number, { readonly head: TraceHead; readonly sessions: Map<number, number> }>();
  let sessions = 0;
  let number = 0;
  let broken: { readonly line: number; readonly why: string } | undefined;
  for await (const { text, whole } of linesOf(path)) {
    number++;
    let line: TraceHead | TraceEntry;
    try {
      line = parseLine(text);
    } catch (error) {
      if (broken !== undefined) throw unreadable(path, broken.line, broken.why);
      broken = { line: number, why: error instanceof Error ? error.message : String(error) };
      if (whole) continue;
      // Nothing can stand behind it but what its writer did not come to write.
      if (number === 1) throw unreadable(path, number, broken.why);
      yield { kind: 'cut short', line: number };
      return;
    }
    if (broken !== undefined) {
      // The next start ends the line of one that was killed.
      if (!('trace' in line)) throw unreadable(path, broken.line, broken.why);
      yield { kind: 'cut short', line: broken.line };
      broken = undefined;
    }
    if ('trace' in line) {
      starts.set(line.pid, { head: line, sessions: new Map() });
      yield { kind: 'head', head: line };
      continue;
    }
    const start = starts.get(line.pid);
    if (start === undefined) throw unreadable(path, number, 'The line that begins a trace is missing before it.');
    const session = start.sessions.get(line.session) ?? ++sessions;
    start.sessions.set(line.session, session);
    yield { kind: 'entry', head: start.head, session, entry: line };
  }
  if (broken !== undefined) throw unreadable(path, broken.line, broken.why);
  if (number === 0) throw unreadable(path, 1, 'It is empty.');
}

/** Throws an Error that says what is wrong. */
function parseLine(text: string): TraceHead | TraceEntry {
  const value = parseLossless(text);
  if (!isRaw(value)) throw new Error('It is no JSON object.');
  const parsed = schemaOf(value).safeParse(value);
  if (parsed.error) throw new Error(z.prettifyError(parsed.error).replace(/\s+/g, ' '));
  return parsed.data;
}

function schemaOf(value: object): z.ZodType<TraceHead | TraceEntry> {
  if ('trace' in value) return traceHead;
  return 'end' in value ? traceEnd : traceMessage;
}

async function* linesOf(path: string): AsyncGenerator<{ readonly text: string; readonly whole: boolean }> {
  let rest = '';
  try {
    // A pipe or a device could let us wait for ever.
    if (!statSync(path).isFile()) throw new Error('It is no file.');
    for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1024 * 1024 })) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) yield { text, whole: true };
      if (rest.length > longestLine) throw new Error('It has a line that is too long for a trace.');
    }
  } catch (error) {
    throw unusable(path, error instanceof Error ? error.message : String(error), error);
  }
  if (rest !== '') yield { text: rest, whole: false };
}

function unreadable(path: string, line: number, why: string): Problem {
  return new Problem({
    code: 'trace-unusable',
    what: `Line ${line} of ${path} is no line of a trace.`,
    why,
    remedy: 'Name a file that "kubernetes-local dap --trace FILE" has written.',
  });
}

function unusable(path: string, why: string, cause: unknown): Problem {
  return new Problem(
    {
      code: 'trace-unusable',
      what: `The trace ${path} cannot be read.`,
      why,
      remedy: 'Name a file that you may read.',
    },
    { cause },
  );
}
