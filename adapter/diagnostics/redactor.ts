/**
 * Knows the secrets of this process and takes them out of any text.
 * Secrets register themselves when they are read from the cluster; the logger and all output go through here.
 */
import { plainForms, writtenForms } from './written-forms.ts';

const mask = '«redacted»';
/** Shorter values would blank out ordinary words and digits: they are not masked. */
const shortestSecret = 4;
/** Deeper than anything that is logged on purpose; keeps what refers to itself from being endless. */
const deepest = 12;

/** A file as long as this, or with so many lines, is masked line by line in its plain forms only: that is what memory allows. */
const longestInAllForms = 65_536;
const mostLinesInAllForms = 500;

export class Redactor {
  /**
   * All forms of all secrets by their first four characters, the longest first. No regular expression: they have a largest
   * size, which one certificate bundle exceeds, and their errors quote it.
   */
  readonly #forms = new Map<number, string[]>();

  /**
   * Registers a secret value. It is masked as it is, and each of its lines, and as base64, hexadecimal digits, part of a
   * URL or of JSON. Values of fewer than four characters are not masked.
   */
  add(secret: string): void {
    const lines = new Set([secret, ...secret.split(/\r?\n/)].filter((line) => line.trim().length >= shortestSecret));
    const many = lines.size > mostLinesInAllForms;
    for (const line of lines) {
      const isLong = line.length > longestInAllForms;
      const value = line.trim();
      for (const each of new Set([line, value])) {
        for (const form of many || isLong ? plainForms(each) : writtenForms(each)) this.#remember(form.trim());
      }
    }
  }

  /** The text with every registered secret masked. */
  redact(text: string): string {
    if (this.#forms.size === 0) return text;
    let done = '';
    let copied = 0;
    for (let at = 0; at + shortestSecret <= text.length; ) {
      const found = this.#forms.get(beginning(text, at))?.find((form) => text.startsWith(form, at));
      if (found === undefined) {
        at++;
        continue;
      }
      done += `${text.slice(copied, at)}${mask}`;
      at += found.length;
      copied = at;
    }
    return copied === 0 ? text : done + text.slice(copied);
  }

  #remember(form: string): void {
    if (form.length < shortestSecret) return;
    const key = beginning(form, 0);
    const alike = this.#forms.get(key);
    if (alike === undefined) {
      this.#forms.set(key, [form]);
      return;
    }
    let index = alike.length;
    while (index > 0 && (alike[index - 1]?.length ?? 0) < form.length) index--;
    // Of the same length are those before it.
    for (let same = index - 1; same >= 0 && alike[same]?.length === form.length; same--) {
      if (alike[same] === form) return;
    }
    alike.splice(index, 0, form);
  }

  /**
   * Plain data with every text in it, and every key, masked: it stays well-formed JSON whatever the secrets are.
   * Errors become objects with name, code, message, stack and cause.
   */
  redactData(value: unknown): unknown {
    return this.#data(value, 0);
  }

  #data(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.redact(value);
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth > deepest) return '…';
    if (value instanceof Error) return this.#data(plainError(value), depth + 1);
    if (Array.isArray(value)) return value.map((each) => this.#data(each, depth + 1));
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.#data(value.toJSON(), depth + 1);
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [this.redact(key), this.#data(each, depth + 1)]),
    );
  }
}

/** A number for the four characters at this place; others may have the same. */
function beginning(text: string, at: number): number {
  return (
    text.charCodeAt(at) ^
    (text.charCodeAt(at + 1) << 8) ^
    (text.charCodeAt(at + 2) << 16) ^
    (text.charCodeAt(at + 3) << 24)
  );
}

function plainError(error: Error): Record<string, unknown> {
  return {
    name: error.name,
    ...('code' in error && { code: error.code }),
    message: error.message,
    stack: error.stack,
    ...(error.cause !== undefined && { cause: error.cause }),
  };
}
