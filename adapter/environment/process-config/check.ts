/** Owns what a KubernetesLocalProcessConfig.yaml may hold, and its faults with line and column if it holds something else. */
import { dirname, resolve } from 'node:path';
import { type Document, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { nearest } from '../../launch/words.ts';
import { type Fault, features, type Position, type ProcessConfig } from './model.ts';
import { parseValue } from './tokens.ts';

/** The highest version there is. */
const latestVersion = [0, 1] as const;

const listOf = <T extends z.ZodType>(item: T) =>
  // The ancestor's documentation has an empty `volumeMounts:`.
  z.preprocess((value) => (value === undefined || isNothing(value) ? [] : value), z.array(item));
const volumeSchema = z.strictObject({ name: z.string().min(1), localPath: z.string().max(255).optional() });
const variableSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^=\0]*$/),
  value: z.string().default(''),
});
const fileSchema = z.strictObject({
  version: z.string().refine(isKnownVersion),
  volumeMounts: listOf(volumeSchema),
  env: listOf(variableSchema),
  enableFeatures: listOf(z.enum(features)),
});

/** In YAML an empty value, `~` and `null` mean the same. */
function isNothing(value: unknown): boolean {
  return value === '' || value === '~' || value === 'null';
}

/** Everything that is wrong with a file's text, in its order; the configuration if nothing is. */
export function checkProcessConfig(
  text: string,
  file: string,
): { readonly config?: ProcessConfig; readonly faults: readonly Fault[] } {
  const lines = new LineCounter();
  // "failsafe": a value is what stands there. YAML's own types would make 1.10 of a version and 420 of a mode.
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (document.errors.length > 0) {
    return {
      faults: document.errors.map(({ pos, message }) => ({
        ...place(pos[0] + (/^\s*(?=\S)/.exec(text.slice(pos[0]))?.[0].length ?? 0)),
        ...badYaml(message),
      })),
    };
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    return { faults: [{ line: 1, column: 1, ...badYaml(error instanceof Error ? error.message : String(error)) }] };
  }
  if (value === null || isNothing(value)) {
    return { faults: [{ line: 1, column: 1, what: 'The file is empty.', remedy: 'It begins with "version: 0.1".' }] };
  }
  const at = (path: readonly PropertyKey[]) => place(offsetOf(document, path));
  const values = writtenValues(value).map((written, index) => {
    const path = ['env', index, 'value'];
    const { parts, faults } = parseValue(written);
    const offsets = dollarOffsets(document, path, text, written);
    return {
      parts: parts.map((part) => ({ ...part, ...('at' in part ? place(offsets(part.at)) : at(path)) })),
      faults: faults.map(({ at: dollar, ...fault }) => ({ ...fault, ...place(offsets(dollar)) })),
    };
  });
  const parsed = fileSchema.safeParse(value);
  const faults = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => describe(issue, document, value, place)),
    ...values.flatMap((each) => each.faults),
  ].toSorted((a, b) => a.line - b.line || a.column - b.column);
  if (!parsed.success || faults.length > 0) return { faults };
  const { volumeMounts, env, enableFeatures } = parsed.data;
  return {
    faults,
    config: {
      file,
      env: env.map(({ name, value: written }, index) => ({
        name,
        written,
        ...at(['env', index, 'name']),
        parts: values[index]?.parts ?? [],
      })),
      volumeMounts: volumeMounts.map(({ name, localPath }, index) => ({
        name,
        ...at(['volumeMounts', index]),
        ...(localPath && { localPath: resolve(dirname(file), localPath) }),
      })),
      enableFeatures: enableFeatures.map((name, index) => ({ name, ...at(['enableFeatures', index]) })),
    },
  };
}

/** The texts of `env` in a file that may have other faults, so that all are told at once. */
function writtenValues(file: unknown): readonly string[] {
  const env = valueAt(file, ['env']);
  if (!Array.isArray(env)) return [];
  return env.map((entry) => valueAt(entry, ['value'])).map((value) => (typeof value === 'string' ? value : ''));
}

function badYaml(message: string): { readonly what: string; readonly remedy: string } {
  return {
    what: `This is no valid YAML: ${message.replace(/\.$/, '')}.`,
    remedy: 'Correct it there, or just before it.',
  };
}

/** `0.1`, `0.0` and `"0.1"`, as the ancestor compares them. */
function isKnownVersion(version: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)(?:\.\d+){0,2}$/.exec(version.trim())?.map(Number) ?? [];
  if (major === undefined || minor === undefined) return false;
  return major < latestVersion[0] || (major === latestVersion[0] && minor <= latestVersion[1]);
}

/** Where a node begins; what is not there, or behind an alias, is where the next thing around it begins. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return Number(node.range[0]);
    }
  }
  return document.contents?.range[0] ?? 0;
}

/** From a place of a `$` in a value to that in the file: the same one in the order of all that stand there. */
function dollarOffsets(document: Document.Parsed, path: readonly PropertyKey[], text: string, value: string) {
  const node: unknown = document.getIn(path, true);
  const [start, end] = isScalar(node) ? (node.range ?? [0, 0]) : [offsetOf(document, path), 0];
  const found = end > start ? places(text.slice(start, end)).map((offset) => start + offset) : [];
  const meant = places(value);
  // An escape such as "\x24" makes more of them than the file shows.
  return (at: number) => (found.length === meant.length ? found[meant.indexOf(at)] : undefined) ?? start;
}

function places(text: string): readonly number[] {
  return [...text.matchAll(/\$/g)].map(({ index }) => index);
}

function describe(
  issue: z.core.$ZodIssue,
  document: Document.Parsed,
  file: unknown,
  place: (offset: number) => Position,
): Fault[] {
  const { path } = issue;
  const position = place(offsetOf(document, path));
  const where = path.length === 0 ? 'the file' : `"${path.map(String).join('.')}"`;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const all = `The keys are: ${known.join(', ')}.`;
      return {
        ...place(keyOffset(document, path, key)),
        what: `"${key}" is not a key of ${where}.`,
        remedy: near === undefined ? all : `Did you mean "${near}"?`,
      };
    });
  }
  const value = valueAt(file, path);
  if (value === undefined) return [{ ...position, what: `${where} is missing.`, remedy: exampleOf(path) }];
  if (issue.code === 'custom') {
    const what = `The version cannot be "${String(value)}".`;
    return [{ ...position, what, remedy: `Write ${latestVersion.join('.')}; there is no later one.` }];
  }
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const near = nearest(value, features);
    return [
      {
        ...position,
        what: `There is no feature "${value}".`,
        remedy: near === undefined ? `The features are: ${features.join(', ')}.` : `Did you mean "${near}"?`,
      },
    ];
  }
  if (issue.code === 'invalid_type') {
    const expected = { array: 'a list', object: 'a mapping of keys to values', string: 'a text' }[
      issue.expected as string
    ];
    return [{ ...position, what: `${where} must be ${expected ?? issue.expected}.`, remedy: exampleOf(path) }];
  }
  const rule =
    issue.code === 'too_small'
      ? 'is empty'
      : issue.code === 'too_big'
        ? 'is longer than 255 characters'
        : 'is no name that a variable can have';
  return [{ ...position, what: `${where} ${rule}.`, remedy: exampleOf(path) }];
}

function keysAt([list]: readonly PropertyKey[]): readonly string[] {
  if (list === 'env') return Object.keys(variableSchema.shape);
  return Object.keys(list === 'volumeMounts' ? volumeSchema.shape : fileSchema.shape);
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    root,
  );
}

/** Where a key itself stands. */
function keyOffset(document: Document.Parsed, path: readonly PropertyKey[], key: string): number {
  const map: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  if (typeof map === 'object' && map !== null && 'items' in map && Array.isArray(map.items)) {
    for (const item of map.items as readonly { readonly key?: unknown }[]) {
      if (isScalar(item.key) && item.key.value === key) return item.key.range?.[0] ?? 0;
    }
  }
  return offsetOf(document, path);
}

function exampleOf([key]: readonly PropertyKey[]): string {
  switch (key) {
    case 'env':
      return 'Write for example "- name: DEBUG_MODE" and below it "value: \'true\'".';
    case 'volumeMounts':
      return 'Write for example "- name: allow-list".';
    case 'enableFeatures':
      return `Write for example "- ${features[0]}".`;
    default:
      return `Write "version: ${latestVersion.join('.')}".`;
  }
}
