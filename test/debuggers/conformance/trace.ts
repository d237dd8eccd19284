/**
 * What a client received in a session, without what differs between two runs of the same debugger: so that the session
 * through us can be compared with the direct one, message by message.
 */
import { isEvent, isRaw, isRequest, isResponse, type Raw } from '../../../adapter/dap/message.ts';
import type { DapClient } from '../../dap-client.ts';

/** What differs between two direct runs of a debugger. Everything else has to be the same. */
export interface RunToRun {
  /** Keys whose numbers the operating system gives out: each becomes its place in the order of appearance. */
  readonly numbers?: readonly string[];
  /** Parts of texts that change; each of its matches becomes its place in the order of appearance as well. */
  readonly texts?: readonly RegExp[];
  /** Keys of which only the presence counts. */
  readonly opaque?: readonly string[];
  /**
   * Responses and events, by command and name, from another thread of the debugger than the rest: their place among the
   * other messages does not count, only their order among those of the same name.
   */
  readonly apart?: readonly string[];
  /** Events, by name, that come in any order and at any time: each has to come as often, with the same body. */
  readonly unordered?: readonly string[];
  /** Messages, by their JSON, that come or do not come. */
  readonly maybe?: readonly RegExp[];
  /** Texts that are printed or not. */
  readonly maybePrinted?: readonly RegExp[];
}

export interface Trace {
  /** Responses, events and requests in their order. */
  readonly messages: readonly unknown[];
  readonly apart: Readonly<Record<string, readonly unknown[]>>;
  readonly unordered: readonly unknown[];
  /**
   * What was printed, by all that is said of it besides (category, source, …). How it is cut into events, and where these
   * come among the other messages, depends on pipes.
   */
  readonly output: Readonly<Record<string, string>>;
}

/** What one client received, without sequence numbers. */
export interface Received {
  readonly messages: readonly Raw[];
  /** The commands of its requests in their order; `request_seq` of a response counts them from 1. */
  readonly asked: readonly string[];
}

export function received(transcript: DapClient['transcript']): Received {
  const numbers: unknown[] = [];
  const asked: string[] = [];
  const messages: Raw[] = [];
  for (const { direction, message } of transcript) {
    const { seq, ...rest } = message;
    if (direction === 'received') {
      messages.push(isResponse(message) ? { ...rest, request_seq: numbers.indexOf(message.request_seq) + 1 } : rest);
    } else if (isRequest(message)) {
      numbers.push(seq);
      asked.push(message.command);
    }
  }
  return { messages, asked };
}

export function traceOf(messages: readonly Raw[], runToRun: RunToRun): Trace {
  const places = new Places(runToRun);
  const inOrder: unknown[] = [];
  const apart: Record<string, unknown[]> = {};
  const unordered: unknown[] = [];
  const texts: Record<string, string> = {};
  for (const message of messages) {
    if (runToRun.maybe?.some((one) => one.test(JSON.stringify(message)))) continue;
    const name = String(isEvent(message) ? message.event : message.command);
    if (name === 'output' && isRaw(message.body)) {
      const { output, ...rest } = message.body;
      const key = JSON.stringify(sorted(places.of(rest)));
      texts[key] = (texts[key] ?? '') + output;
    } else if (runToRun.apart?.includes(name)) apart[name] = [...(apart[name] ?? []), places.of(message)];
    else if (runToRun.unordered?.includes(name)) unordered.push(places.of(message));
    else inOrder.push(places.of(message));
  }
  const certain = (text: string) => (runToRun.maybePrinted ?? []).reduce((rest, one) => rest.replace(one, ''), text);
  const output = Object.entries(texts).map(([key, text]) => [key, places.of(certain(text))]);
  return { messages: inOrder, apart, unordered: unordered.toSorted(byText), output: Object.fromEntries(output) };
}

/** What changes from run to run, replaced by its place in the order of appearance. */
class Places {
  readonly #runToRun: RunToRun;
  readonly #seen = new Map<string, string>();

  constructor(runToRun: RunToRun) {
    this.#runToRun = runToRun;
  }

  of(value: unknown, key = ''): unknown {
    const { numbers, texts, opaque } = this.#runToRun;
    if (opaque?.includes(key)) return '«opaque»';
    if (typeof value === 'number') return numbers?.includes(key) ? this.#place(String(value)) : value;
    if (typeof value === 'string') {
      return (texts ?? []).reduce((text, pattern) => text.replace(pattern, (found) => this.#place(found)), value);
    }
    if (Array.isArray(value)) return value.map((one) => this.of(one, `${key}[]`));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.of(one, keyOf(key, name))]));
  }

  #place(found: string): string {
    const known = this.#seen.get(found) ?? `«${this.#seen.size + 1}»`;
    this.#seen.set(found, known);
    return known;
  }
}

/** "id" says nothing by itself: inside of a list it is `threads[].id`. */
function keyOf(outer: string, name: string): string {
  return outer.endsWith('[]') ? `${outer}.${name}` : name;
}

function sorted(value: unknown): unknown {
  if (!isRaw(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
