/**
 * Configurations of clients that can write nothing but texts: Helix takes only texts, lists of them, true and false from
 * its languages.toml, and adds `cwd` to each launch (helix-term/src/commands/dap.rs, `dap_start_impl`).
 */
import { type ParseError, parse as parseJson, printParseErrorCode } from 'jsonc-parser';
import { Problem } from '../problem.ts';
import schema from './launch.schema.json' with { type: 'json' };

/** The keys whose values are objects. */
const objects = Object.entries(schema.properties).flatMap(([key, property]) =>
  'type' in property && property.type === 'object' ? [key] : [],
);

/**
 * The configuration with objects that were written as JSON texts made objects. If `delegate` was one, a `cwd` beside it
 * is the client's and becomes that of the delegate, unless it has its own.
 * @param configuration is changed.
 * @throws Problem bad-value naming a key whose text begins like an object and is no JSON.
 */
export function withObjects(configuration: unknown, origin: string): unknown {
  if (!isObject(configuration)) return configuration;
  const onlyTexts = typeof configuration.delegate === 'string';
  for (const key of objects) {
    const text = configuration[key];
    if (typeof text === 'string' && text.trimStart().startsWith('{')) configuration[key] = parse(text, key, origin);
  }
  const { delegate, cwd } = configuration;
  if (onlyTexts && isObject(delegate) && typeof cwd === 'string') {
    delegate.cwd ??= cwd;
    delete configuration.cwd;
  }
  return configuration;
}

function parse(text: string, key: string, origin: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parseJson(text, errors, { disallowComments: true });
  const [first] = errors;
  if (first === undefined) return value;
  throw new Problem({
    code: 'bad-value',
    what: `${origin}: "${key}" is a text that is no JSON.`,
    // JSON.parse would quote it, and there may be a password in it.
    why: `At character ${first.offset + 1}: ${printParseErrorCode(first.error)}.`,
    remedy: 'Write it for example as \'{ "type": "debugpy", "program": "main.py" }\'.',
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
