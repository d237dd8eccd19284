/** The formats of launch-templates/, each read as the program reads it that it is for; throws at what that would refuse. */
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';

/** JSON with comments (VS Code, Zed, Sublime Text). */
export function readJsonc(text: string): unknown {
  return json(text, false);
}

/** JSON as it is in the standard. */
export function readJson(text: string): unknown {
  return json(text, true);
}

function json(text: string, disallowComments: boolean): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { disallowComments, allowTrailingComma: false });
  const [first] = errors;
  if (first === undefined) return value;
  const line = text.slice(0, first.offset).split('\n').length;
  throw new Error(`Line ${line}: ${printParseErrorCode(first.error)}.`);
}

export function readToml(text: string): unknown {
  return parseToml(text);
}

/** The value of a Lua list of tables that hold texts, numbers, booleans and tables with keys, as it is assigned to `name`. */
export function readLuaTable(text: string, name: string): unknown {
  const [, table] = new RegExp(`^local ${name} = (\\{[\\s\\S]*?^\\})`, 'm').exec(text) ?? [];
  if (table === undefined) throw new Error(`There is no "local ${name} = {".`);
  const asJson = withoutComments(table, '--')
    .replace(
      /\["([^"]*)"\] = |([A-Za-z_]\w*) = |"(?:[^"\\]|\\.)*"|,(?=\s*\})/g,
      (found, quoted: string | undefined, bare: string | undefined) => {
        const key = quoted ?? bare;
        if (key !== undefined) return `${JSON.stringify(key)}: `;
        return found === ',' ? '' : found;
      },
    )
    .trim();
  return readJson(`[${asJson.slice(1, -1)}]`);
}

/** Text without the comments that begin with `mark` and end with the line; texts in double quotes are left alone. */
export function withoutComments(text: string, mark: string): string {
  return text.replace(new RegExp(`"(?:[^"\\\\\\n]|\\\\.)*"|${mark}.*`, 'g'), (found) =>
    found.startsWith('"') ? found : '',
  );
}

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** The elements of an XML document with their attributes; it has to be well-formed. Texts between them are left out. */
export function readXml(text: string): Element {
  const token =
    /<\?[\s\S]*?\?>|<!--(?:(?!--)[\s\S])*-->|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|[^<]+/y;
  const top: Element = { name: '', attributes: {}, children: [] };
  const open = [top];
  while (token.lastIndex < text.length) {
    const from = token.lastIndex;
    const [, end, name, attributes = '', empty] = token.exec(text) ?? bad(text, from);
    if (name === undefined) continue;
    const innermost = open.at(-1) ?? bad(text, from);
    if (end === '/') {
      if (innermost.name !== name) bad(text, from);
      open.pop();
      continue;
    }
    const element: Element = { name, attributes: readAttributes(attributes), children: [] };
    innermost.children.push(element);
    if (empty !== '/') open.push(element);
  }
  const [root] = top.children;
  if (open.length !== 1 || top.children.length !== 1 || root === undefined) return bad(text, text.length);
  return root;
}

function readAttributes(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, name = '', double, single]) => [
      name,
      // Line breaks in attributes become blanks (XML 1.0, 3.3.3).
      (double ?? single ?? '')
        .replace(/[\n\t]/g, ' ')
        .replace(/&(#\d+|\w+);/g, (_, entity: string) => character(entity)),
    ]),
  );
}

function character(entity: string): string {
  if (entity.startsWith('#')) return String.fromCodePoint(Number(entity.slice(1)));
  const found = entities[entity];
  if (found === undefined) throw new Error(`There is no entity ${entity}.`);
  return found;
}

function bad(text: string, offset: number): never {
  throw new Error(`Line ${text.slice(0, offset).split('\n').length} is not well-formed.`);
}

/** An expression of Lisp: a list, a text, or anything else as it is written. */
export type Expression = readonly Expression[] | { readonly text: string } | string;

/** All expressions of a file of Emacs Lisp. */
export function readLisp(text: string): Expression[] {
  const token = /\s+|;.*|"((?:[^"\\]|\\[\s\S])*)"|[()]|(?:#'|['`,])|[^\s()"';`,]+/gy;
  const top: Expression[] = [];
  const open: Expression[][] = [top];
  let offset = 0;
  for (const [found, quoted] of text.matchAll(token)) {
    offset += found.length;
    const innermost = open.at(-1);
    if (innermost === undefined) break;
    if (quoted !== undefined) innermost.push({ text: quoted.replace(/\\([\s\S])/g, '$1') });
    else if (found === '(') {
      const list: Expression[] = [];
      innermost.push(list);
      open.push(list);
    } else if (found === ')') open.pop();
    else if (!/^[\s;'`,#]/.test(found)) innermost.push(found);
  }
  if (offset !== text.length || open.length !== 1) return bad(text, offset);
  return top;
}

/** The object that a property list stands for: `(list :a "b")`, `'(:a "b")`, and the paths of `expand-file-name`. */
export function propertyList(list: Expression): unknown {
  if (typeof list === 'string') return atom(list);
  if (!Array.isArray(list)) return 'text' in list ? list.text : undefined;
  const [first, ...rest] = list;
  if (first === 'expand-file-name') return propertyList(rest[0] ?? '');
  const pairs = first === 'list' ? rest : list;
  const entries: [string, unknown][] = [];
  for (let index = 0; index < pairs.length; index += 2) {
    const key = pairs[index];
    const value = pairs[index + 1];
    if (typeof key !== 'string' || !key.startsWith(':') || value === undefined)
      throw new Error(`${JSON.stringify(key)} is no key of a property list.`);
    entries.push([key.slice(1), propertyList(value)]);
  }
  return Object.fromEntries(entries);
}

function atom(word: string): unknown {
  if (word === 't') return true;
  if (word === 'nil' || word === ':json-false') return false;
  return /^-?\d+$/.test(word) ? Number(word) : word;
}
