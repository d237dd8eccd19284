/**
 * Makes text fit for strangers: beside the secrets that are known it masks what has the shape of one, and shortens the
 * names of API servers. For bundles; a log keeps what its owner needs.
 */
import { isIP } from 'node:net';
import { withTexts } from './diagnosis.ts';
import type { Redactor } from './redactor.ts';

const mask = '«redacted»';
const telling = 'pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|api[-_]?key|access[-_]?key|private[-_]?key';
/** A name after which a value is nobody's business. */
const tellingName = new RegExp(`(?:^|[-_.])(?:${telling})(?:$|[-_.])|(?:password|secret|token|apikey)$`, 'i');

const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/gs, mask],
  // A JSON web token: every token of a ServiceAccount is one.
  [/\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g, mask],
  [/\b((?:bearer|basic)\s+)[\w.~+/=-]{6,}/gi, `$1${mask}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']*:)[^\s/@"']+@/gi, `$1${mask}@`],
  [new RegExp(`([\\w-]*(?:${telling})[\\w-]*["']?\\s*[=:]\\s*["']?)[^\\s"',;&}«]{4,}`, 'gi'), `$1${mask}`],
];

export interface PublicTextOptions {
  readonly redactor: Redactor;
  /** URLs of API servers, as far as they are known. */
  readonly servers: readonly string[];
}

/** Changes texts and data so that strangers may see them. */
export class PublicText {
  readonly #redactor: Redactor;
  /** As they are written, and what is written instead. */
  readonly #hosts: readonly (readonly [string, string])[];

  constructor({ redactor, servers }: PublicTextOptions) {
    this.#redactor = redactor;
    this.#hosts = servers.flatMap((server) => {
      if (!URL.canParse(server)) return [];
      const { host, hostname } = new URL(server);
      const short = shortHost(hostname);
      // An address of this computer alone stands in every line about it; with the port it is the API server.
      const alone = isLoopback(hostname) ? [] : [[hostname, short] as const];
      return [...(host === hostname ? [] : [[host, short] as const]), ...alone];
    });
  }

  text(text: string): string {
    const known = this.#redactor.redact(text);
    const masked = shapes.reduce((all, [shape, instead]) => all.replace(shape, instead), known);
    return this.#hosts.reduce((all, [host, short]) => all.replaceAll(host, short), masked);
  }

  /** Plain data, well-formed JSON afterwards. A value whose key or `name` tells that it is a secret is masked as a whole. */
  data(data: unknown): unknown {
    const plain: unknown = JSON.parse(JSON.stringify(data));
    return withTexts(maskNamed(plain), (text) => this.text(text));
  }

  /** A log: each line for itself, so that it stays JSON; what is none (torn, or not ours) together, as a key has many lines. */
  lines(text: string): string {
    const done: string[] = [];
    let others: string[] = [];
    const flush = () => {
      if (others.length > 0) done.push(this.text(others.join('\n')));
      others = [];
    };
    for (const line of text.split('\n')) {
      const data = parsed(line);
      if (data === undefined) {
        others.push(line);
        continue;
      }
      flush();
      done.push(JSON.stringify(this.data(data)));
    }
    flush();
    return done.join('\n');
  }
}

/** The object that a line is; undefined if it is none. */
function parsed(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Enough to tell two clusters apart: `api.…`, `10.…`. */
export function shortHost(host: string): string {
  const bare = host.replace(/^\[|\]$/g, '');
  if (isIP(bare) === 6) return `[${bare.split(':')[0] ?? ''}:…]`;
  const [first = '', ...rest] = bare.split('.');
  return rest.length === 0 ? `${first.slice(0, 2)}…` : `${first}.…`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host);
}

function maskNamed(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(maskNamed);
  if (typeof data !== 'object' || data === null) return data;
  const named = 'name' in data && typeof data.name === 'string' && 'value' in data && tellingName.test(data.name);
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => {
      const hides = typeof value === 'string' && value !== '' && !value.startsWith('«');
      return [key, hides && (tellingName.test(key) || (named && key === 'value')) ? mask : maskNamed(value)];
    }),
  );
}
