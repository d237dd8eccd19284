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
