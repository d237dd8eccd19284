/** Configurations that stand in a list of a JSON file of the editor's, such as launch.json. */
import { isDeepStrictEqual } from 'node:util';
import type { JSONPath } from 'jsonc-parser';
import { z } from 'zod';
import { parseLaunchConfiguration } from '../../launch/configuration.ts';
import { Problem } from '../../problem.ts';
import { isOwnType, ofTheEditor } from '../delegate.ts';
import type {
  Dialect,
  Draft,
  EditorFiles,
  ExistingConfiguration,
  Outcome,
  OwnConfiguration,
  Settings,
} from '../draft.ts';
import { launchConfiguration } from '../launch-configuration.ts';
import { JsoncText } from './jsonc.ts';
import { readTextFile, type TextFile, writeTextFile } from './text-file.ts';

/** How an editor keeps its list. */
export interface ListShape {
  readonly path: string;
  /** Where the list is in the file; empty if the file is the list. */
  readonly at: readonly [] | readonly [string];
  /** What else a new file has. */
  readonly frame: Settings;
  /** What the editor calls a configuration's name and type. */
  readonly nameKey: string;
  readonly typeKey: string;
  readonly dialect: Dialect;
  /** The configurations that can start a program here. */
  existing(items: readonly Settings[]): readonly ExistingConfiguration[];
  readonly advice: readonly string[];
}

const ownSchema = z.looseObject({
  target: z.string(),
  namespace: z.string().optional().catch(undefined),
  context: z.string().optional().catch(undefined),
  container: z.string().optional().catch(undefined),
  ports: z.record(z.string(), z.number()).catch({}).default({}),
  delegate: z.looseObject({ type: z.string() }).optional().catch(undefined),
});

/** What is said of one of ours, as a file holds it; undefined if it says too little. */
export function readOwn(name: unknown, settings: unknown): OwnConfiguration | undefined {
  const parsed = ownSchema.safeParse(settings);
  if (!parsed.success || typeof name !== 'string') return undefined;
  const { target, namespace, context, container, ports, delegate } = parsed.data;
  return { name, target, namespace, context, container, ports, debugger: delegate?.type };
}

/** The items of a list, as far as they are objects. Problem bad-value if something else stands where the list should. */
export function itemsOf(json: JsoncText, path: string, at: JSONPath): readonly Settings[] {
  const value = json.value(at);
  if (value === undefined && (json.isEmpty || isObject(json.value([])))) return [];
  if (Array.isArray(value)) return value.map((item) => (isObject(item) ? item : {}));
  const place = value === undefined ? path : [path, ...at].join(': ');
  throw new Problem({
    code: 'bad-value',
    what: `${place} is not a list.`,
    why: 'That is where the configurations are.',
    remedy: 'Correct it and start again. The file is unchanged.',
  });
}

/** The text with a new first item in the list, which is made if it is not there. */
export function withFirst(
  json: JsoncText,
  at: readonly [] | readonly [string],
  frame: Settings,
  item: Settings,
): string {
  const [key] = at;
  if (json.isEmpty) return json.fill(key === undefined ? [item] : { ...frame, [key]: [item] });
  if (key !== undefined && json.value([key]) === undefined) return json.append([], key, [item]);
  return json.insertFirst([...at], item);
}

/** The text with these keys of one item set, one by one, so that comments and all other keys stay. */
export function withKeys(text: string, path: string, at: JSONPath, changes: Settings): string {
  let json = new JsoncText(text, path);
  for (const [key, value] of Object.entries(changes)) {
    const before = json.value([...at, key]);
    if (isDeepStrictEqual(before, value)) continue;
    json = new JsoncText(before === undefined ? json.append(at, key, value) : json.replace([...at, key], value), path);
  }
  return json.text;
}

export class ListedFiles implements EditorFiles {
  readonly existing: readonly ExistingConfiguration[];
  readonly own: readonly OwnConfiguration[];
  readonly dialect: Dialect;
  readonly #shape: ListShape;
  readonly #file: TextFile;
  readonly #items: readonly Settings[];

  /** Problem bad-value if the file is not as it should be. */
  constructor(shape: ListShape) {
    const { path, at, nameKey, typeKey } = shape;
    this.#shape = shape;
    this.#file = readTextFile(path);
    this.#items = itemsOf(new JsoncText(this.#file.text ?? '', path), path, [...at]);
    this.dialect = shape.dialect;
    this.existing = shape.existing(this.#items);
    this.own = this.#items.flatMap((item) => {
      const own = isOwnType(item[typeKey]) ? readOwn(item[nameKey], item) : undefined;
      return own === undefined ? [] : [own];
    });
  }

  async write(draft: Draft): Promise<Outcome> {
    const { path, at, frame, nameKey, typeKey, advice } = this.#shape;
    const text = this.#file.text ?? '';
    const index = this.#items.findIndex((item) => isOwnType(item[typeKey]) && item[nameKey] === draft.replaces);
    const before = draft.replaces === undefined ? undefined : this.#items[index];
    let after: string;
    let configuration: Record<string, unknown>;
    if (before === undefined) {
      configuration = launchConfiguration(draft);
      after = withFirst(new JsoncText(text, path), at, frame, this.#asItem(configuration));
    } else {
      const changed = changedKeys(before, draft);
      configuration = this.#asConfiguration({ ...changed.kept, ...changed.set });
      parseLaunchConfiguration(configuration, path);
      after = changed.gone
        ? new JsoncText(text, path).replace([...at, index], { ...changed.kept, ...changed.set })
        : withKeys(text, path, [...at, index], changed.set);
    }
    return { configuration, written: [await writeTextFile(this.#file, after)], advice };
  }

  #asItem({ name, type, ...rest }: Record<string, unknown>): Settings {
    const { nameKey, typeKey } = this.#shape;
    const { request, ...others } = rest;
    // In the order in which the editor itself writes them.
    return nameKey === 'name'
      ? { [typeKey]: type, request, [nameKey]: name, ...others }
      : { [nameKey]: name, [typeKey]: type, request, ...others };
  }

  #asConfiguration(item: Settings): Record<string, unknown> {
    const { nameKey, typeKey } = this.#shape;
    const { [nameKey]: name, [typeKey]: type, ...rest } = item;
    return { type, name, ...rest };
  }
}

/** What becomes of the keys of a configuration of ours that is replaced. */
export function changedKeys(
  before: Settings,
  { place, program }: Draft,
): { readonly kept: Settings; readonly set: Settings; readonly gone: boolean } {
  if (program === undefined) return { kept: before, set: place, gone: false };
  const set: Settings = { ...place, ...program.beside, delegate: program.delegate };
  // The tasks of another program are not for this one.
  const stale = [...ofTheEditor, 'debugAdapter'].filter((key) => key in before && !(key in set));
  const kept = Object.fromEntries(Object.entries(before).filter(([key]) => !stale.includes(key)));
  return { kept, set, gone: stale.length > 0 };
}

export function isObject(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
