/**
 * Takes a stream of bytes apart into the bodies of its messages. Liberal: header names in any case, no blank, other
 * headers, one number twice. What is no message is reported and skipped, and reading goes on at the next header,
 * wherever that is: behind a banner, behind the rest of a message that was longer than its header said, or inside one
 * that was shorter.
 */
import { constants } from 'node:buffer';

/** The body of one message, or text that is no message. */
export type Frame = { readonly body: Buffer } | { readonly rubbish: string };

/** Nothing longer can be decoded: waiting for it would be in vain. */
const longestBody = constants.MAX_STRING_LENGTH;
/** Longer lines are no header; of their beginning nothing is needed any more. */
const longestLine = 8192;
const longestHeader = 64;
/** Rubbish is shown to people. */
const longestReport = 2000;

const newline = 0x0a;
/** Something else may stand before it, if a message or a line of text was cut off there. */
const contentLength = /content-length[ \t]*:[ \t]*(\d+)[ \t]*$/i;
const otherHeader = /^[\w-]+[ \t]*:/;
const headerInside = /content-length[ \t]*:[ \t]*\d+[ \t]*\r?\n/i;

export class Frames {
  #chunks: Buffer[] = [];
  #size = 0;
  /** The length of the body that comes next, once its header is complete. */
  #body: number | undefined;
  /** As the lines of the header so far say. */
  #length: number | undefined;
  /** Lines of the header so far that may yet turn out to be none. */
  #lines = '';
  /** Bytes of the line under way that have been looked at. */
  #searched = 0;

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The next frame, if all of it has come. */
  next(): Frame | undefined {
    let rubbish = '';
    while (this.#body === undefined) {
      const line = this.#line();
      if (line === undefined) return rubbish === '' ? undefined : { rubbish };
      rubbish = (rubbish + this.#header(line)).slice(0, longestReport);
    }
    // In the order in which they came.
    if (rubbish !== '') return { rubbish };
    if (this.#size < this.#body) return undefined;
    const body = this.#take(this.#body);
    this.#body = undefined;
    return { body };
  }

  /** A body that cannot be read: its length was wrong if there is a header in it, and reading goes on there. */
  reread(body: Buffer): void {
    const inside = headerInside.exec(body.toString('latin1'));
    if (inside === null) return;
    this.#chunks.unshift(body.subarray(inside.index));
    this.#size += body.length - inside.index;
  }

  /** What is left at the end of the stream: the beginning of a message, or text. */
  rest(): string {
    const rest = this.#take(this.#size).toString('utf8');
    const text = this.#body === undefined ? this.#lines + rest : `Content-Length: ${this.#body}\n\n${rest}`;
    return text.slice(0, longestReport);
  }

  /** Takes one line of a header; returns what is rubbish. */
  #header(line: Buffer): string {
    const text = line.toString('latin1');
    if (!text.endsWith('\n')) return line.toString('utf8');
    const content = text.replace(/\r?\n$/, '');
    const found = contentLength.exec(content);
    if (found !== null) {
      const length = Number(found[1]);
      if (length > longestBody) return text;
      this.#length = length;
      return found.index === 0 ? '' : `${line.toString('utf8', 0, found.index)}\n`;
    }
    if (content === '') {
      const lines = this.#lines;
      this.#body = this.#length;
      this.#length = undefined;
      this.#lines = '';
      return this.#body === undefined ? lines : '';
    }
    if (!otherHeader.test(content)) return line.toString('utf8');
    this.#lines = (this.#lines + line.toString('utf8')).slice(0, longestReport);
    return '';
  }

  /** The next line with its end, if it has come; or most of one that is too long for a header. */
  #line(): Buffer | undefined {
    if (this.#size === 0) return undefined;
    const [first] = this.#chunks;
    const pending = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#chunks = [pending];
    const end = pending.indexOf(newline, this.#searched);
    this.#searched = 0;
    if (end !== -1) return this.#take(end + 1);
    if (pending.length > longestLine) return this.#take(pending.length - longestHeader);
    this.#searched = pending.length;
    return undefined;
  }

  #take(size: number): Buffer {
    let [first = Buffer.alloc(0)] = this.#chunks;
    let count = 1;
    let length = first.length;
    for (let chunk = this.#chunks[count]; length < size && chunk !== undefined; chunk = this.#chunks[count]) {
      first = chunk;
      length += chunk.length;
      count++;
    }
    const taken = this.#chunks.splice(0, count);
    this.#size -= size;
    if (length > size) this.#chunks.unshift(first.subarray(first.length - (length - size)));
    return count === 1 ? first.subarray(0, size) : Buffer.concat(taken, size);
  }
}
