/** Labels and annotations as a downward API file holds them (kubelet: fieldpath.FormatMap with Go's %q). */

/** One line `key="value"` for each entry, sorted by key, without a line feed at the end. */
export function formatMap(entries: Readonly<Record<string, string>>): string {
  return Object.keys(entries)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((key) => `${key}=${quote(entries[key] ?? '')}`)
    .join('\n');
}

const short: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** As strconv.Quote: letters, marks, numbers, punctuation, symbols and the ASCII space stay as they are. */
function quote(text: string): string {
  return `"${[...text].map(escaped).join('')}"`;
}

function escaped(character: string): string {
  const brief = short[character];
  if (brief !== undefined) return brief;
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
