/**
 * A message as a trace holds it: secrets and values of environment variables masked, what is long cut short.
 * The same message always gives the same result, so that recordings can be compared.
 */
import type { Redactor } from '../../diagnostics/redactor.ts';
import { field, isRaw, type Raw } from '../message.ts';
import { UnreadBody } from '../wire/verbatim.ts';

declare global {
  interface JSON {
    // As `rawJSON`, see json.ts.
    isRawJSON(value: unknown): boolean;
  }
}

/** In place of the value of an environment variable. */
export const maskedValue = '…';
/** In place of the token of a child session. */
const maskedToken = '…';

/** Characters of one string, and of one message, that are kept. */
const longestString = 20_000;
const longestMessage = 200_000;
/** Messages that are nested deeper come from no debug adapter that we know. */
const deepest = 100;
/** No environment variable is longer on Linux (execve(2), MAX_ARG_STRLEN): so no secret is cut in two. */
const longestSecret = 131_072;

const environmentKeys = new Set(['env', 'environment', 'environmentvariables']);
const secretNames = /pass|pwd|secret|token|credential|auth|api_?key|private_?key|access_?key/i;
/** These words of the protocol stay what they are, even if a secret is spelled alike. */
const frame = new Set(['seq', 'type', 'command', 'event', 'request_seq', 'success']);

export class TraceContent {
  readonly #redactor: Redactor;
  /** Keys that hold environment variables in the launch arguments of this session, in lower case. */
  readonly #environmentKeys = new Set(environmentKeys);

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** Never throws for anything that came from JSON. */
  of(given: Raw): Raw {
    const message = given.body instanceof UnreadBody ? { ...given, body: given.body.toJSON() } : given;
    const own = field(field(message.arguments, 'debugAdapter'), 'environmentKey');
    if (typeof own === 'string') this.#environmentKeys.add(own.toLowerCase());
    this.#learn(message, 0);
    const budget = { left: longestMessage };
    const whole: Record<string, unknown> = Object.create(null);
    for (const [key, value] of Object.entries(message)) {
      if (frame.has(key) && !isRaw(value)) whole[key] = value;
      else if (message.command === 'runInTerminal' && key === 'arguments') {
        whole[key] = this.#clean(withMaskedWords(value), '', 1, budget);
      } else whole[this.#text(key)] = this.#clean(value, key, 1, budget);
    }
    return whole;
  }

  /** What the user calls a secret is one wherever it appears from now on. */
  #learn(value: unknown, depth: number): void {
    if (typeof value !== 'object' || value === null || depth > 4) return;
    for (const [key, inner] of Object.entries(value)) {
      if (this.#environmentKeys.has(key.toLowerCase())) {
        for (const [name, secret] of variables(inner)) if (secretNames.test(name)) this.#redactor.add(secret);
      } else if (isRaw(inner)) this.#learn(inner, depth + 1);
    }
  }

  #clean(value: unknown, key: string, depth: number, budget: { left: number }): unknown {
    if (value instanceof Uint8Array) return `«${value.byteLength} bytes»`;
    if (typeof value === 'string') {
      const assigns = this.#environmentKeys.has(key.toLowerCase()) && value.includes('=');
      const text = assigns ? maskedValue : this.#text(value);
      budget.left -= text.length;
      return text;
    }
    if (typeof value !== 'object' || value === null) {
      budget.left -= 8;
      return typeof value === 'number' ? this.#number(value) : value;
    }
    if (JSON.isRawJSON(value)) {
      const digits = JSON.stringify(value);
      return this.#redactor.redact(digits) === digits ? value : maskedValue;
    }
    if (this.#environmentKeys.has(key.toLowerCase())) return masked(value);
    if (depth > deepest) return '«nested too deep»';
    return Array.isArray(value) ? this.#list(value, depth, budget) : this.#object(value, depth, budget);
  }

  #list(values: readonly unknown[], depth: number, budget: { left: number }): unknown[] {
    const kept: unknown[] = [];
    for (const value of values) {
      if (budget.left < 0) return [...kept, `«${values.length - kept.length} more»`];
      kept.push(this.#clean(value, '', depth + 1, budget));
    }
    return kept;
  }

  #object(value: object, depth: number, budget: { left: number }): Record<string, unknown> {
    const entries = Object.entries(value);
    const kept: Record<string, unknown> = Object.create(null);
    let count = 0;
    for (const [key, inner] of entries) {
      if (budget.left < 0) {
        kept['«more»'] = entries.length - count;
        break;
      }
      count++;
      budget.left -= key.length;
      const ticket = key === '__kubernetesLocal' && isRaw(inner) && 'token' in inner;
      kept[this.#text(key)] = this.#clean(ticket ? { ...inner, token: maskedToken } : inner, key, depth + 1, budget);
    }
    return kept;
  }

  /** A number may be what a program made of a secret. */
  #number(value: number): unknown {
    const text = String(value);
    return text.length > 5 && this.#redactor.redact(text) !== text ? maskedValue : value;
  }

  #text(text: string): string {
    if (text.length <= longestString) return this.#redactor.redact(text);
    const looked = this.#redactor.redact(text.slice(0, 2 * longestSecret));
    // Behind this, there may be the beginning of a secret.
    const whole = text.length <= 2 * longestSecret ? looked : looked.slice(0, -longestSecret);
    return `${whole.slice(0, longestString)}«${text.length} characters in all»`;
  }
}

/** Command line words like K=V, as `env K=V program` has them; which of them are variables, only the program knows. */
export function withMaskedValues(words: readonly unknown[]): unknown[] {
  return words.map((word) =>
    typeof word === 'string' ? word.replace(/^([A-Za-z_]\w*)=.*/s, `$1=${maskedValue}`) : word,
  );
}

function withMaskedWords(args: unknown): unknown {
  return isRaw(args) && Array.isArray(args.args) ? { ...args, args: withMaskedValues(args.args) } : args;
}

/** `{K: V}`, `["K=V"]` and `[{name: K, value: V}]` are all in use among debug adapters. */
function masked(environment: object): unknown {
  if (Array.isArray(environment)) {
    return environment.map((entry: unknown) => {
      if (isRaw(entry)) return { ...entry, value: maskedValue };
      return String(entry).replace(/=.*/s, `=${maskedValue}`);
    });
  }
  // null takes a variable away, and is no secret.
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value === null ? null : maskedValue]),
  );
}

/** Names of the environment variables that launch arguments set; `own`: one more key under which they may stand. */
export function variableNames(args: Raw, own: unknown): readonly string[] {
  const keys = Object.entries(args).filter(([key]) => environmentKeys.has(key.toLowerCase()) || key === own);
  return keys.flatMap(([, environment]) =>
    // null takes a variable away.
    variables(environment).flatMap(([name, value]) => (value === 'null' ? [] : [name])),
  );
}

function variables(environment: unknown): readonly (readonly [string, string])[] {
  if (Array.isArray(environment)) {
    return environment.map((entry: unknown) => {
      if (isRaw(entry)) return [String(entry.name), String(entry.value)];
      const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(String(entry)) ?? [];
      return [name, value];
    });
  }
  return isRaw(environment) ? Object.entries(environment).map(([name, value]) => [name, String(value)]) : [];
}
