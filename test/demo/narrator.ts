/** Tells what happens: numbered steps, indented lines, colours only on a terminal. */
import type { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';

/** How often a counter is shown that runs for minutes. */
const quietMilliseconds = 10_000;

export class Narrator {
  readonly #output: Writable & { readonly isTTY?: boolean };
  readonly #started = performance.now();
  #step = 0;
  #told = '';
  #lastText = '';
  #lastSaying = '';
  #quietUntil = 0;

  constructor(output: Writable & { readonly isTTY?: boolean }) {
    this.#output = output;
  }

  title(text: string): void {
    this.#write(`\n${this.#styled('1', text)}\n`);
  }

  /** A numbered step, with the seconds since the start. */
  step(text: string): void {
    this.#step++;
    const seconds = `${((performance.now() - this.#started) / 1000).toFixed(1)} s`;
    this.#write(`\n${this.#styled('1;36', `${this.#step}. ${text}`)}  ${this.#styled('2', seconds)}\n`);
  }

  say(text: string): void {
    this.#write(indent(text, '   '));
  }

  /** Something that is waited for, or that a program said. */
  detail(text: string): void {
    // Waiting says the same thing again and again, perhaps with another number in it.
    const saying = text.replaceAll(/\d+/g, '#');
    const now = performance.now();
    if (text === this.#lastText || (saying === this.#lastSaying && now < this.#quietUntil)) return;
    this.#lastText = text;
    this.#lastSaying = saying;
    this.#quietUntil = now + quietMilliseconds;
    this.#write(this.#styled('2', indent(text, '   · ')));
  }

  /** What came back from the shop. */
  page(text: string): void {
    this.#write(indent(text.trim(), '   │ '));
  }

  good(text: string): void {
    this.#write(`   ${this.#styled('32', '✔')} ${text}\n`);
  }

  failure(lines: readonly string[]): void {
    this.#write(
      `\n${this.#styled('1;31', 'The demo failed.')}\n${lines
        .filter(Boolean)
        .map((line) => indent(line, '   '))
        .join('')}`,
    );
  }

  /** Everything told so far, with its styles. */
  get told(): string {
    return this.#told;
  }

  #write(text: string): void {
    this.#told += text;
    this.#output.write(this.#output.isTTY ? text : stripVTControlCharacters(text));
  }

  #styled(code: string, text: string): string {
    return `\x1b[${code}m${text}\x1b[0m`;
  }
}

function indent(text: string, prefix: string): string {
  return `${text
    .split('\n')
    .map((line) => `${prefix}${line}`)
    .join('\n')}\n`;
}
