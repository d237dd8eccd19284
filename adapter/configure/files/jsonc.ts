/**
 * JSON with comments, edited so that every byte that is not the change stays: comments, trailing commas, indentation, line
 * ends. jsonc-parser's own `modify` formats the lines around a change anew, therefore the places are found here.
 */
import {
  applyEdits,
  createScanner,
  type Edit,
  findNodeAtLocation,
  getNodeValue,
  type JSONPath,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
  type SyntaxKind,
} from 'jsonc-parser';
import { Problem } from '../../problem.ts';

// A constant enum cannot be imported where each file is compiled alone; its types still check these numbers.
const commaToken: SyntaxKind.CommaToken = 5;
const lineComment: SyntaxKind.LineCommentTrivia = 12;
const blockComment: SyntaxKind.BlockCommentTrivia = 13;
const lineBreak: SyntaxKind.LineBreakTrivia = 14;
const blanks: SyntaxKind.Trivia = 15;

/** A text that was parsed without an error. */
export class JsoncText {
  readonly text: string;
  /** undefined: nothing but blanks and comments. */
  readonly #root: Node | undefined;
  readonly #eol: string;
  readonly #indent: string;

  /** Problem bad-value with line and column of the first error. */
  constructor(text: string, path: string) {
    const errors: ParseError[] = [];
    const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
    const [first] = errors;
    if (first) throw invalid(text, first, path);
    this.text = text;
    this.#root = root;
    this.#eol = /\r?\n/.exec(text)?.[0] ?? '\n';
    this.#indent = root === undefined ? '  ' : (indentOfFirst(text, root) ?? '  ');
  }

  /** The value at a path; undefined if there is none. */
  value(path: JSONPath): unknown {
    const node = this.#node(path);
    return node && getNodeValue(node);
  }

  /** The text with `value` at the path instead of what is there. The path must exist. */
  replace(path: JSONPath, value: unknown): string {
    const node = this.#node(path);
    if (node === undefined) throw new Error(`nothing at ${path.join('.')}`);
    const content = this.#format(value, indentOfLine(this.text, node.offset));
    return applyEdits(this.text, [{ offset: node.offset, length: node.length, content }]);
  }

  /** The text with a new first item in the list at the path. The path must lead to a list. */
  insertFirst(path: JSONPath, value: unknown): string {
    const list = this.#node(path);
    if (list?.type !== 'array') throw new Error(`no list at ${path.join('.')}`);
    const [first] = list.children ?? [];
    return applyEdits(
      this.text,
      this.#insertAtBeginning(list, first, (indent) => this.#format(value, indent)),
    );
  }

  /** The text with a new key in the object at the path, after its last one. The path must lead to an object. */
  append(path: JSONPath, key: string, value: unknown): string {
    const object = this.#node(path);
    if (object?.type !== 'object') throw new Error(`no object at ${path.join('.')}`);
    const write = (indent: string) => `${JSON.stringify(key)}: ${this.#format(value, indent)}`;
    const last = object.children?.at(-1);
    return applyEdits(
      this.text,
      last ? this.#insertAfter(object, last, write) : this.#insertAtBeginning(object, undefined, write),
    );
  }

  /** A whole text for a file in which there is no value yet: what comments it has stay above. */
  fill(value: unknown): string {
    const above = this.text === '' || /[\r\n]$/.test(this.text) ? this.text : this.text + this.#eol;
    return `${above}${this.#format(value, '')}${this.#eol}`;
  }

  /** Whether there is a value at all. */
  get isEmpty(): boolean {
    return this.#root === undefined;
  }

  #node(path: JSONPath): Node | undefined {
    return this.#root && findNodeAtLocation(this.#root, [...path]);
  }

  #format(value: unknown, indent: string): string {
    return JSON.stringify(value, undefined, this.#indent).replaceAll('\n', this.#eol + indent);
  }

  /** `write` gets the indentation of what it writes. */
  #insertAtBeginning(parent: Node, first: Node | undefined, write: (indent: string) => string): Edit[] {
    const { text } = this;
    const outer = indentOfLine(text, parent.offset);
    if (first === undefined) {
      const content = this.#eol + outer + this.#indent + write(outer + this.#indent);
      const offset = endOfLine(text, parent.offset + 1);
      const onOneLine = !text.slice(offset, parent.offset + parent.length).includes('\n');
      return [{ offset, length: 0, content: onOneLine ? content + this.#eol + outer : content }];
    }
    const ownLine = /[\r\n]/.test(text.slice(parent.offset, first.offset));
    const indent = ownLine ? indentOfLine(text, first.offset) : outer + this.#indent;
    const offset = ownLine ? endOfLine(text, parent.offset + 1) : parent.offset + 1;
    return [{ offset, length: 0, content: `${this.#eol}${indent}${write(indent)},${ownLine ? '' : ' '}` }];
  }

  /** After a property, behind its comma and the comments that stand on its line. */
  #insertAfter(object: Node, last: Node, write: (indent: string) => string): Edit[] {
    const { text } = this;
    const end = last.offset + last.length;
    const comma = commaAfter(text, end);
    if (!/[\r\n]/.test(text.slice(object.offset, last.offset))) {
      const content = comma === undefined ? `, ${write('')}` : ` ${write('')},`;
      return [{ offset: comma === undefined ? end : comma + 1, length: 0, content }];
    }
    const indent = indentOfLine(text, last.offset);
    const written = `${this.#eol}${indent}${write(indent)}`;
    if (comma !== undefined) return [{ offset: endOfLine(text, comma + 1), length: 0, content: `${written},` }];
    const offset = endOfLine(text, end);
    if (offset === end) return [{ offset, length: 0, content: `,${written}` }];
    return [
      { offset: end, length: 0, content: ',' },
      { offset, length: 0, content: written },
    ];
  }
}

/** The end of the line if nothing but blanks and comments follow on it; otherwise the place itself. */
function endOfLine(text: string, from: number): number {
  const scanner = createScanner(text, false);
  scanner.setPosition(from);
  for (;;) {
    const kind = scanner.scan();
    switch (kind) {
      case blanks:
      case lineComment:
        break;
      case blockComment:
        // What follows it belongs to another line.
        if (scanner.getTokenValue().includes('\n')) return from;
        break;
      case lineBreak:
        return trimmed(text, from, scanner.getTokenOffset());
      default:
        return from;
    }
  }
}

/** Without the blanks before the end of a line, so that they stay at its end. */
function trimmed(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && (text[at - 1] === ' ' || text[at - 1] === '\t')) at--;
  return at;
}

function commaAfter(text: string, from: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  return scanner.scan() === commaToken ? scanner.getTokenOffset() : undefined;
}

function indentOfLine(text: string, offset: number): string {
  const start = Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1;
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? '';
}

/** What one level is indented by: found at the first value that stands on a line of its own. */
function indentOfFirst(text: string, node: Node): string | undefined {
  for (const child of node.children ?? []) {
    if (/[\r\n]/.test(text.slice(node.offset, child.offset)) && (node.type === 'object' || node.type === 'array')) {
      const outer = indentOfLine(text, node.offset);
      const inner = indentOfLine(text, child.offset);
      if (inner.length > outer.length && inner.startsWith(outer)) return inner.slice(outer.length);
    }
    const deeper = indentOfFirst(text, child);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

function invalid(text: string, { error, offset }: ParseError, path: string): Problem {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  const line = before.length;
  const column = (before.at(-1)?.length ?? 0) + 1;
  const words = printParseErrorCode(error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return new Problem({
    code: 'bad-value',
    what: `${path}:${line}:${column} is not valid JSON.`,
    why: `There: ${words}.`,
    remedy: 'Correct it and start again. The file is unchanged.',
  });
}
