/**
 * Launch configurations that are a JSON file of our own each, with files beside them that lead an editor to it. The JSON is
 * edited like a user's own; the others are written anew only while they are as we made them.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseLaunchConfiguration } from '../../launch/configuration.ts';
import { isOwnType } from '../delegate.ts';
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
import { changedKeys, isObject, readOwn, withKeys } from './listed.ts';
import { freeFile, type Rendered } from './own-text.ts';
import { readTextFile, type TextFile, writeTextFile } from './text-file.ts';

export interface OwnJsonShape {
  readonly folder: string;
  readonly dialect: Dialect;
  /** The JSON file of a configuration, in the folder. */
  path(slug: string): string;
  /** Keys of the editor's. */
  extra(configuration: Settings): Settings;
  /** What leads the editor to it: file beside it → text. */
  beside(configuration: Settings): Readonly<Record<string, string>>;
  advice(path: string): readonly string[];
}

interface OwnFile {
  readonly file: TextFile;
  readonly settings: Settings;
}

export class OwnJsonFiles implements EditorFiles {
  readonly existing: readonly ExistingConfiguration[];
  readonly own: readonly OwnConfiguration[];
  readonly dialect: Dialect;
  readonly #shape: OwnJsonShape;
  readonly #files: readonly OwnFile[];

  /** Problem bad-value if one of our files is no JSON any more. */
  constructor(shape: OwnJsonShape, existing: readonly ExistingConfiguration[]) {
    this.#shape = shape;
    this.dialect = shape.dialect;
    this.existing = existing;
    this.#files = find(shape);
    this.own = this.#files.flatMap(({ settings }) => readOwn(settings.name, settings) ?? []);
  }

  async write(draft: Draft): Promise<Outcome> {
    const { path, extra, folder, advice } = this.#shape;
    const before = this.#files.find(({ settings }) => settings.name === draft.replaces);
    let configuration: Record<string, unknown>;
    let file: TextFile;
    let text: string;
    if (before === undefined) {
      const plain = launchConfiguration(draft);
      configuration = { ...plain, ...extra(plain) };
      file = freeFile(folder, (slug) => [path(slug)], draft.name);
      text = `${JSON.stringify(configuration, undefined, 2)}\n`;
    } else {
      const { kept, set, gone } = changedKeys(before.settings, draft);
      const merged = { ...kept, ...set };
      const changes = { ...set, ...extra(merged) };
      configuration = { ...kept, ...changes };
      parseLaunchConfiguration(configuration, before.file.path);
      file = before.file;
      const { text: old = '' } = file;
      text = gone ? new JsoncText(old, file.path).replace([], configuration) : withKeys(old, file.path, [], changes);
    }
    const written = [await writeTextFile(file, text)];
    const stays: string[] = [];
    const ours = before === undefined ? {} : this.#shape.beside(before.settings);
    for (const [name, content] of Object.entries(this.#shape.beside(configuration))) {
      const other = readTextFile(join(file.path, '..', name));
      if (other.text === content) continue;
      if (other.text === undefined || other.text === ours[name]) written.push(await writeTextFile(other, content));
      else stays.push(`${other.path} stays, for you have changed it.`);
    }
    return { configuration, written, advice: [...stays, ...advice(file.path)] };
  }
}

/** All files that are named as ours would be. */
function find({ folder, path }: OwnJsonShape): readonly OwnFile[] {
  const [before = '', after = ''] = path('*').split('*');
  const parent = join(folder, before);
  const names = statSync(parent, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(parent).sort() : [];
  return names.flatMap((name) => {
    const whole = join(parent, after.startsWith('/') ? `${name}${after}` : name);
    if (!after.startsWith('/') && !name.endsWith(after)) return [];
    const file = readTextFile(whole);
    if (file.text === undefined) return [];
    const settings = new JsoncText(file.text, whole).value([]);
    return isObject(settings) && isOwnType(settings.type) ? [{ file, settings }] : [];
  });
}

/** The type of the real debugger, for a command line. */
export function delegateType(configuration: Settings | Rendered): string {
  const { delegate } = configuration;
  return isObject(delegate) && typeof delegate.type === 'string' ? delegate.type : '';
}
