/**
 * Large bodies that nobody here looks into are written as they were read: making JSON of them again takes longer than
 * all else. They are parsed nevertheless, so that nothing unreadable is passed on; only of very large ones that takes too
 * long as well.
 */
import { isUtf8 } from 'node:buffer';
import { isRaw, type Raw } from '../message.ts';

/** Smaller messages gain nothing. */
const worthwhile = 16 * 1024;
/** From here on a body is not parsed. */
const veryLarge = 1024 * 1024;
/** Fields that come before the body are few and short. */
const longestHead = 1024;
const bodyKey = '"body":';

/** Answers that are changed on their way. */
const changed = /^(initialize|set\w*Breakpoints)$/;

/** A body that was not parsed; nobody looks into it but the trace. */
export class UnreadBody {
  readonly #text: Buffer;

  constructor(text: Buffer) {
    this.#text = text;
  }

  /** What is in it. Throws SyntaxError if it is no JSON. */
  toJSON(): unknown {
    return JSON.parse(this.#text.toString());
  }
}

/** The text of each body that came in such a message and was not changed since. */
const texts = new WeakMap<object, Buffer>();

/** The message, if it is a large one of that kind. */
export function readVerbatim(json: Buffer): Raw | undefined {
  if (json.length < worthwhile) return undefined;
  const start = json.subarray(0, longestHead).indexOf(bodyKey);
  const end = json.lastIndexOf('}');
  if (start === -1 || end < start) return undefined;
  const text = json.subarray(start + bodyKey.length, end);
  try {
    // Each part is JSON by itself only if the body is the last field.
    const head: unknown = JSON.parse(`${json.toString('utf8', 0, start)}${bodyKey}null}`);
    if (
      json
        .subarray(end + 1)
        .toString()
        .trim() !== '' ||
      !isRaw(head) ||
      !isPassedOn(head)
    )
      return undefined;
    if (!isUtf8(text)) return undefined;
    const body = bodyOf(text, head);
    if (!isRaw(body)) return undefined;
    texts.set(body, text);
    return { ...head, body };
  } catch {
    // Whatever is wrong with it is found when it is read in the usual way.
    return undefined;
  }
}

function bodyOf(text: Buffer, { success, event }: Raw): unknown {
  // The reason of a failure is of interest.
  if (text.length < veryLarge || (success !== true && event === undefined)) {
    // Its numbers need not survive this: it is the text that is written.
    return JSON.parse(text.toString());
  }
  const first = text.toString('latin1', 0, 16).trimStart();
  const last = text.toString('latin1', text.length - 16).trimEnd();
  return first.startsWith('{') && last.endsWith('}') ? new UnreadBody(text) : undefined;
}

function isPassedOn({ type, command, event }: Raw): boolean {
  return type === 'response' ? typeof command === 'string' && !changed.test(command) : event === 'output';
}

/** The message as JSON, in pieces of which the body is one. */
export function writeVerbatim(message: Raw): readonly [string, Buffer, string] | undefined {
  const { body, ...head } = message;
  const text = isRaw(body) ? texts.get(body) : undefined;
  return text && [`${JSON.stringify(head).slice(0, -1)},${bodyKey}`, text, '}'];
}
