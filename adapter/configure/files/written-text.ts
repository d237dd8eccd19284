/** Values in the languages of editors' files. Text is data there: nothing in it is ever read as code. */

type Write = (value: unknown, indent: string) => string;

const step = '  ';

/** A table of Lua. */
export const lua: Write = (value, indent) => {
  if (typeof value === 'string') return luaText(value);
  if (value === null || value === undefined) return 'nil';
  if (typeof value !== 'object') return String(value);
  const inner = indent + step;
  const items = Array.isArray(value)
    ? value.map((item) => lua(item, inner))
    : Object.entries(value).map(([key, item]) => `${luaKey(key)} = ${lua(item, inner)}`);
  if (items.length === 0) return '{}';
  return `{\n${items.map((item) => `${inner}${item},\n`).join('')}${indent}}`;
};

/** JSON's escapes are Lua's, but for those of characters by number. */
function luaText(text: string): string {
  return JSON.stringify(text).replace(/\\u([0-9a-f]{4})/g, (_, digits: string) => `\\u{${digits}}`);
}

const luaWords = new Set(
  `and break do else elseif end false for function goto if in local nil not or repeat return then true until while`.split(
    ' ',
  ),
);

function luaKey(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) && !luaWords.has(key) ? key : `[${luaText(key)}]`;
}

/** An expression of Emacs Lisp: objects are property lists, lists are vectors. */
export const elisp: Write = (value, indent) => inLisp(value, indent, '(list ', '(vector ', ')');

/** The same as data, inside a quoted list. */
export const quotedElisp: Write = (value, indent) => inLisp(value, indent, '(', '[', ']');

function inLisp(value: unknown, indent: string, object: string, vector: string, endOfVector: string): string {
  if (typeof value === 'string') return elispText(value);
  if (value === null || value === undefined) return 'nil';
  if (value === true) return 't';
  if (value === false) return ':json-false';
  if (typeof value !== 'object') return String(value);
  const inner = `${indent} `;
  const write = (item: unknown) => inLisp(item, inner, object, vector, endOfVector);
  if (Array.isArray(value)) return `${vector}${value.map(write).join(' ')}${endOfVector}`;
  const pairs = Object.entries(value).map(([key, item]) => `:${elispSymbol(key)} ${write(item)}`);
  return object === '(' ? `(${pairs.join(`\n${inner}`)})` : `(list\n${inner}${pairs.join(`\n${inner}`)})`;
}

/** JSON's escapes are those of Emacs Lisp; only there \u has to be followed by exactly four digits, as it is. */
function elispText(text: string): string {
  return JSON.stringify(text);
}

function elispSymbol(key: string): string {
  return key.replace(/[^\w-]/g, (character) => `\\${character}`);
}

/** A basic string of TOML. */
export function tomlText(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007F');
}

/** The value of an attribute of XML in single quotes. */
export function xmlAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll("'", '&apos;');
}
