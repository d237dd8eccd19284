/** The three kinds of DAP message, checked at the edge and otherwise untouched: fields we do not know stay in place. */
import { z } from 'zod';

/** Any JSON object that came over the wire. */
export type Raw = Readonly<Record<string, unknown>>;

// netcoredbg sends its sequence numbers as strings, and some flows of js-debug leave them 0 (field notes, §1.3).
const sequence = z.union([z.number(), z.string()]);

const request = z.looseObject({ seq: sequence, type: z.literal('request'), command: z.string() });
const response = z.looseObject({ type: z.literal('response'), request_seq: sequence });
const event = z.looseObject({ type: z.literal('event'), event: z.string() });

export type Request = Raw & {
  readonly seq: number | string;
  readonly type: 'request';
  readonly command: string;
  readonly arguments?: unknown;
};
export type Response = Raw & {
  readonly type: 'response';
  readonly request_seq: number | string;
  readonly success?: unknown;
  readonly command?: unknown;
  readonly message?: unknown;
  readonly body?: unknown;
};
export type Event = Raw & { readonly type: 'event'; readonly event: string; readonly body?: unknown };

/** Whether a value is a JSON object. */
export function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Guards and not parsers: a parsed copy would have its fields in another order than the sender's.
export function isRequest(message: Raw): message is Request {
  return request.safeParse(message).success;
}

export function isResponse(message: Raw): message is Response {
  return response.safeParse(message).success;
}

export function isEvent(message: Raw): message is Event {
  return event.safeParse(message).success;
}

/** A field of a body or of arguments, which may themselves be missing. */
export function field(container: unknown, name: string): unknown {
  return isRaw(container) ? container[name] : undefined;
}
