/**
 * A trace for people: a line for each message. The debug adapter stands in the middle, between client and debugger:
 *
 *     0.012  1  client →             launch #2  {"target":"cart",…}
 *     0.450  1         → debugger    launch #2  {"program":"main.py",…}
 *     0.610  1         ← debugger    launch answered #2 (160 ms)
 */
import { isRaw, type Raw } from '../message.ts';
import { reasonIn } from '../translate.ts';
import type { TraceEntry, TraceHead } from './format.ts';

const arrows = {
  'from client': 'client →           ',
  'to client': 'client ←           ',
  'to debugger': '       → debugger  ',
  'from debugger': '       ← debugger  ',
} as const;

export class TraceText {
  readonly #width: number;
  /** When each request was made, and what it was; by session, pair and number. */
  readonly #asked = new Map<string, { readonly time: number; readonly command: string }>();

  /** `width`: characters of a line, beyond which it is cut. */
  constructor(width: number) {
    this.#width = width;
  }

  /** The line for a start of the debug adapter. */
  head({ started, version, node, platform, pid, options }: TraceHead): string {
    const told = `kubernetes-local ${version}, Node ${node}, ${platform}, process ${pid}, started ${started}, options `;
    return visible(told + JSON.stringify(options), this.#width);
  }

  /** The line for a message or an end; `session` as it is counted in the file. */
  entry(session: number, entry: TraceEntry): string {
    const where = `${(entry.time / 1000).toFixed(3).padStart(9)}  ${session}  ${arrows[entry.direction]}  `;
    if ('end' in entry) return visible(`${where}gone: ${entry.end}`, this.#width);
    const took = this.#took(session, entry.direction, entry.time, entry.message);
    const { what, details } = describe(entry.message, took?.command);
    const duration = took === undefined ? '' : ` (${round(entry.time - took.time)})`;
    return visible(`${where}${what}${duration}  ${details}`.trimEnd(), this.#width);
  }

  /** Notes a request; for a response, the request that it answers. */
  #took(session: number, direction: keyof typeof arrows, time: number, message: Raw) {
    const [way = '', peer = ''] = direction.split(' ');
    const key = (asker: string, seq: unknown) => `${session} ${asker} ${peer} ${String(seq)}`;
    if (message.type === 'request') {
      this.#asked.set(key(way, message.seq), { time, command: String(message.command) });
    }
    if (message.type !== 'response') return undefined;
    const asked = key(way === 'to' ? 'from' : 'to', message.request_seq);
    const found = this.#asked.get(asked);
    this.#asked.delete(asked);
    return found;
  }
}

/** A message in words. `asked`: the command that a response answers, if it does not say so itself. */
export function describe(message: Raw, asked?: string): { readonly what: string; readonly details: string } {
  switch (message.type) {
    case 'request':
      return { what: `${String(message.command)} #${String(message.seq)}`, details: json(message.arguments) };
    case 'response': {
      const what = `${String(message.command ?? asked ?? 'a request')} answered #${String(message.request_seq)}`;
      if (message.success !== false) return { what, details: json(message.body) };
      const silent = message.message === undefined && message.body === undefined;
      return { what: silent ? `${what} failed` : `${what} failed: ${reasonIn(message)}`, details: '' };
    }
    case 'event':
      return describeEvent(String(message.event), message.body);
    default:
      return { what: 'no message of the protocol', details: json(message) };
  }
}

function describeEvent(event: string, body: unknown): { readonly what: string; readonly details: string } {
  const { reason, category, threadId, output, ...rest } = isRaw(body) ? body : {};
  const words = [event, reason, category, threadId === undefined ? undefined : `thread ${String(threadId)}`];
  const what = words.filter((word) => word !== undefined).join(' ');
  if (event === 'output' && output !== undefined) return { what, details: json(output) };
  return { what, details: json(isRaw(body) ? rest : body) };
}

function json(value: unknown): string {
  return value === undefined || (isRaw(value) && Object.keys(value).length === 0) ? '' : JSON.stringify(value);
}

function round(milliseconds: number): string {
  return milliseconds < 10 ? `${milliseconds.toFixed(1)} ms` : `${Math.round(milliseconds)} ms`;
}

/** One line of at most `width` characters, with nothing in it that a terminal would obey. */
export function visible(text: string, width: number): string {
  const safe = text
    .slice(0, width + 1)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
      character === '\n' ? '\\n' : `\\u{${character.codePointAt(0)?.toString(16)}}`,
    );
  return safe.length <= width ? safe : `${safe.slice(0, Math.max(0, width - 1))}…`;
}
