/** JSON that survives a way through us without loss: integers beyond 2^53 keep their digits. */

declare global {
  interface JSON {
    // ECMAScript "JSON.parse source text access", in Node since 21; not yet in TypeScript's libraries.
    rawJSON(text: string): object;
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/** Cheap to test; a match inside a string only costs the slower way. */
const maybeUnsafeInteger = /[:[,]\s*-?\d{16,}/;

/** Parses JSON; an integer that a double cannot hold becomes a raw value that `JSON.stringify` writes as it was. */
export function parseLossless(text: string): unknown {
  if (!maybeUnsafeInteger.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value, context) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? '')
      ? JSON.rawJSON(context.source ?? '')
      : value,
  );
}

/** Far more than any debug adapter needs, and less than `JSON.stringify` and all that walks through values can take. */
export const deepest = 500;

const [quote, backslash] = [0x22, 0x5c];
const openings = new Set([0x5b, 0x7b]);
const closings = new Set([0x5d, 0x7d]);

/** Whether a JSON text is nested more than `deepest` levels deep. */
export function nestedTooDeep(json: Buffer): boolean {
  // Most are too short for that.
  if (json.length < 2 * deepest) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    if (byte === quote) at = endOfString(json, at);
    else if (byte < 0x5b) continue;
    else if (openings.has(byte) && ++depth > deepest) return true;
    else if (closings.has(byte)) depth--;
  }
  return false;
}

/** Where the string ends that begins at `start`. */
function endOfString(json: Buffer, start: number): number {
  for (let end = json.indexOf(quote, start + 1); end !== -1; end = json.indexOf(quote, end + 1)) {
    let escapes = 0;
    while (json[end - 1 - escapes] === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return json.length;
}
