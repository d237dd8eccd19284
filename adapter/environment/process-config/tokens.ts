/** The language of a value: text with `$(services:…)`, `$(volumeMounts:…)` and `$(externalendpoints:…)` in it. */
import { nearest } from '../../launch/words.ts';

/** Text as it is, `$$` already made one `$`. */
interface TextPart {
  readonly kind: 'text';
  readonly text: string;
}

interface Token {
  /** Where its `$` is in the value. */
  readonly at: number;
  /** As it stands in the value, with `$(` and `)`. */
  readonly written: string;
}

/** `$(services:NAME[.NAMESPACE][:PORT,…])` */
export interface ServiceToken extends Token {
  readonly kind: 'services';
  readonly name: string;
  readonly namespace: string | undefined;
  readonly ports: readonly number[];
}

/** `$(volumeMounts:NAME)`; the name may hold `*`. */
export interface VolumeToken extends Token {
  readonly kind: 'volumeMounts';
  readonly name: string;
}

/** `$(externalendpoints:HOST:PORT,…)` */
export interface ExternalEndpointToken extends Token {
  readonly kind: 'externalendpoints';
  readonly host: string;
  readonly ports: readonly number[];
}

export type Part = TextPart | ServiceToken | VolumeToken | ExternalEndpointToken;

/** Something wrong in a value. */
export interface TokenFault {
  /** Where in the value. */
  readonly at: number;
  readonly what: string;
  readonly remedy: string;
}

const kinds = ['services', 'volumeMounts', 'externalendpoints'] as const;
const examples: Readonly<Record<(typeof kinds)[number], string>> = {
  services: '$(services:NAME), $(services:NAME.NAMESPACE) or $(services:NAME:80,443)',
  volumeMounts: '$(volumeMounts:NAME)',
  externalendpoints: '$(externalendpoints:HOST:PORT)',
};
const wholeToken = /^\$\(([^)]*)\)/;

/** The parts of a value, and everything that is wrong with it. */
export function parseValue(value: string): { readonly parts: readonly Part[]; readonly faults: readonly TokenFault[] } {
  const parts: Part[] = [];
  const faults: TokenFault[] = [];
  let text = '';
  const endText = () => {
    if (text !== '') parts.push({ kind: 'text', text });
    text = '';
  };
  for (let at = 0; at < value.length; ) {
    const rest = value.slice(at);
    if (!rest.startsWith('$')) {
      text += value[at];
      at += 1;
    } else if (rest.startsWith('$$')) {
      text += '$';
      at += 2;
    } else {
      const [written = '$', inside] = wholeToken.exec(rest) ?? [];
      const token = inside === undefined ? strayDollar(rest) : parseToken(written, inside);
      if ('what' in token) {
        faults.push({ at, ...token });
      } else {
        endText();
        parts.push({ at, written, ...token });
      }
      at += written.length;
    }
  }
  endText();
  return { parts, faults };
}

type WithoutPlace<T> = T extends Token ? Omit<T, keyof Token> : never;
type Parsed = WithoutPlace<Part> | Omit<TokenFault, 'at'>;

function strayDollar(rest: string): Omit<TokenFault, 'at'> {
  return rest.startsWith('$(')
    ? { what: '"$(" has no ")".', remedy: 'Close it.' }
    : { what: 'A "$" begins a token such as $(services:NAME).', remedy: 'Write "$$" for the sign itself.' };
}

function parseToken(written: string, inside: string): Parsed {
  const colon = inside.indexOf(':');
  const word = colon < 0 ? inside : inside.slice(0, colon);
  const kind = kinds.find((each) => each.toLowerCase() === word.toLowerCase());
  if (kind === undefined) return unknownToken(written, word, colon >= 0);
  const rest = colon < 0 ? '' : inside.slice(colon + 1).trim();
  if (rest === '') return malformed(written, kind);
  switch (kind) {
    case 'services':
      return parseService(written, rest);
    case 'volumeMounts':
      return { kind, name: rest };
    case 'externalendpoints':
      return parseExternalEndpoint(written, rest);
  }
}

function parseService(written: string, rest: string): Parsed {
  const [address = '', list, ...more] = rest.split(':');
  const [name = '', namespace, ...labels] = address.split('.');
  const ports = list === undefined ? [] : parsePorts(list);
  const names = namespace === undefined ? [name] : [name, namespace];
  const isName = names.every((label) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/i.test(label));
  if (more.length > 0 || labels.length > 0 || !isName) return malformed(written, 'services');
  if (ports === undefined) return badPorts(written, list);
  return { kind: 'services', name: name.toLowerCase(), namespace: namespace?.toLowerCase(), ports };
}

function parseExternalEndpoint(written: string, rest: string): Parsed {
  const [host = '', list, ...more] = rest.split(':');
  if (more.length > 0 || list === undefined || !/^[a-z0-9_]([-a-z0-9_.]*[a-z0-9])?$/i.test(host)) {
    return malformed(written, 'externalendpoints');
  }
  const ports = parsePorts(list);
  if (ports === undefined || ports.length === 0) return badPorts(written, list);
  return { kind: 'externalendpoints', host: host.toLowerCase(), ports };
}

/** Separated by commas or blanks, as the ancestor took them; undefined if one is no port. */
function parsePorts(list: string): readonly number[] | undefined {
  const words = list.split(/[, ]+/).filter(Boolean);
  const ports = words.map(Number);
  const isPort = (port: number, index: number) => /^\d+$/.test(words[index] ?? '') && port > 0 && port < 65_536;
  return ports.every(isPort) ? ports : undefined;
}

function unknownToken(written: string, word: string, hasColon: boolean): Omit<TokenFault, 'at'> {
  const near = nearest(word, kinds);
  if (near !== undefined) return { what: `${written} is no token.`, remedy: `Did you mean "${near}"?` };
  const known = `The tokens are ${Object.values(examples).join(', ')}.`;
  const what = hasColon ? `${written} is a token of no known kind.` : `${written} is no token.`;
  return { what, remedy: `${known} Write "$$" for a "$" that begins none.` };
}

function malformed(written: string, kind: keyof typeof examples): Omit<TokenFault, 'at'> {
  return { what: `${written} is not complete or not well formed.`, remedy: `Write ${examples[kind]}.` };
}

function badPorts(written: string, list: string | undefined): Omit<TokenFault, 'at'> {
  return {
    what: `"${list}" in ${written} is no list of ports.`,
    remedy: 'Write numbers from 1 to 65535, as in 80,443.',
  };
}
