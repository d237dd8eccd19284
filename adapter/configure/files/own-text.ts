/**
 * Files in languages that cannot be edited without losing something: each configuration gets a file of its own, which is
 * ours. Its last line says so and what it is for, with a digest that tells whether the user has changed it since.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../../problem.ts';
import type { Dialect, Draft, EditorFiles, ExistingConfiguration, Outcome, OwnConfiguration } from '../draft.ts';
import { launchConfiguration } from '../launch-configuration.ts';
import { readOwn } from './listed.ts';
import { readTextFile, type TextFile, writeTextFile } from './text-file.ts';

/** A configuration as a renderer gets it. */
export type Rendered = Record<string, unknown> & {
  readonly name: string;
  readonly target: string;
  readonly delegate: Readonly<Record<string, unknown>> & { readonly type: string };
};

export interface OwnTextShape {
  readonly folder: string;
  readonly dialect: Dialect;
  /** Where the file of a configuration may be, best first: relative to the folder, without anything of the user's there. */
  paths(slug: string): readonly string[];
  /** A comment of one line. */
  comment(text: string): string;
  render(configuration: Rendered): string;
  /** What is left to do; `path` is the whole path. */
  advice(path: string, configuration: Rendered): readonly string[];
}

const mark = 'kubernetes-local init ';

interface OwnFile {
  readonly file: TextFile;
  readonly own: OwnConfiguration;
  readonly changed: boolean;
}

export class OwnTextFiles implements EditorFiles {
  readonly existing: readonly ExistingConfiguration[];
  readonly own: readonly OwnConfiguration[];
  readonly dialect: Dialect;
  readonly #shape: OwnTextShape;
  readonly #files: readonly OwnFile[];

  constructor(shape: OwnTextShape, existing: readonly ExistingConfiguration[]) {
    this.#shape = shape;
    this.dialect = shape.dialect;
    this.existing = existing;
    this.#files = this.#find();
    this.own = this.#files.map(({ own }) => own);
  }

  async write(draft: Draft): Promise<Outcome> {
    const configuration = launchConfiguration(draft);
    if (!isRendered(configuration)) throw new Error('a configuration without a program cannot be written');
    const before = this.#files.find(({ own }) => own.name === draft.replaces);
    const text = this.#withMark(this.#shape.render(configuration), draft);
    const file =
      before === undefined || before.changed
        ? freeFile(this.#shape.folder, this.#shape.paths, draft.name)
        : before.file;
    const written = await writeTextFile(file, text);
    const kept = before?.changed ? [`${before.file.path} stays, for you have changed it.`] : [];
    return { configuration, written: [written], advice: [...kept, ...this.#shape.advice(file.path, configuration)] };
  }

  #find(): readonly OwnFile[] {
    const { folder, paths } = this.#shape;
    // Any name stands for all: only the folders matter.
    const folders = new Set(paths('x').map((path) => join(folder, path, '..')));
    return [...folders].flatMap((each) =>
      namesIn(each).flatMap((name) => {
        const read = this.#read(join(each, name));
        return read === undefined ? [] : [read];
      }),
    );
  }

  #read(path: string): OwnFile | undefined {
    if (!this.#shape.paths('x').some((each) => path.endsWith(each.slice(each.lastIndexOf('.'))))) return undefined;
    const file = readTextFile(path);
    const at = file.text?.lastIndexOf(mark) ?? -1;
    if (file.text === undefined || at < 0) return undefined;
    const [, digest, json] = /^([0-9a-f]+) (\{.*\})/.exec(file.text.slice(at + mark.length)) ?? [];
    if (digest === undefined || json === undefined) return undefined;
    const body = file.text.slice(0, file.text.lastIndexOf('\n', at) + 1);
    const told: unknown = parseJson(json);
    const name = typeof told === 'object' && told !== null && 'name' in told ? told.name : undefined;
    const own = readOwn(name, told);
    return own === undefined ? undefined : { file, own, changed: digestOf(body) !== digest };
  }

  #withMark(body: string, { name, place }: Draft): string {
    const { target, namespace, context, container, ports } = place;
    // Two hyphens would end a comment of XML.
    const told = JSON.stringify({ name, target, namespace, context, container, ports }).replaceAll('--', '-\\u002d');
    return `${body}${this.#shape.comment(`${mark}${digestOf(body)} ${told}`)}\n`;
  }
}

/** A file that is not there yet, named after a configuration. Problem bad-value if a hundred are. */
export function freeFile(folder: string, paths: (slug: string) => readonly string[], name: string): TextFile {
  const slug =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'configuration';
  for (let number = 1; number < 100; number++) {
    for (const path of paths(number === 1 ? slug : `${slug}-${number}`)) {
      const file = readTextFile(join(folder, path));
      if (file.text === undefined) return file;
    }
  }
  throw new Problem({
    code: 'bad-value',
    what: `No file could be made for "${name}".`,
    why: `All names from ${slug} to ${slug}-99 are taken.`,
    remedy: 'Remove those that you do not need.',
  });
}

function isRendered(configuration: Record<string, unknown>): configuration is Rendered {
  return typeof configuration.delegate === 'object' && configuration.delegate !== null;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // It is not there yet.
    return [];
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
