/** How a value looks where others have written it: in JSON, in a URL, in base64, in hexadecimal digits. */

/** Below this a part of a base64 text may be an ordinary word. */
const shortestPart = 8;

/** The value itself, and as it is in JSON. */
export function plainForms(value: string): readonly string[] {
  return [...new Set([value, jsonPart(value)])];
}

/** The value itself and its other forms, each once. */
export function writtenForms(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const json = jsonPart(value);
  const hex = bytes.toString('hex');
  return [
    ...new Set([
      value,
      json,
      // JSON inside a text of JSON, as the API server's messages have it.
      jsonPart(json),
      ...urlParts(value),
      hex,
      hex.toUpperCase(),
      bytes.toString('base64'),
      bytes.toString('base64url'),
      ...[0, 1, 2].flatMap((offset) => base64Within(bytes, offset)),
    ]),
  ];
}

function jsonPart(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** A part of a path, a part of a form, and both in the small letters of some languages. */
function urlParts(value: string): readonly string[] {
  // Half a surrogate pair has no place in a URL.
  if (!value.isWellFormed()) return [];
  const path = encodeURIComponent(value);
  const strict = path.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ v: value }).toString().slice(2);
  const small = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [path, strict, form, encodeURI(value)].flatMap((text) => [text, small(text)]);
}

/** What base64 makes of the value in the middle of something longer ("user:value"), without the digits that it shares. */
function base64Within(bytes: Buffer, offset: number): readonly string[] {
  const digits = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor(((offset + bytes.length) * 8) / 6);
  const own = digits.slice(first, last);
  return own.length < shortestPart ? [] : [own, own.replaceAll('+', '-').replaceAll('/', '_')];
}
