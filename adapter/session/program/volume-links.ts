/** Links of the user's choice that lead to the files of the pod's volumes. What somebody else put there is never touched. */
import { lstat, mkdir, readlink, rm, rmdir, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { Problem } from '../../problem.ts';
import type { Act } from '../journal/journal.ts';

export type LinkAct = Extract<Act, { act: 'link' }>;

/** What is to be done for a link, for the journal. Problem bad-value if something is there already. */
export async function planLink(path: string, folder: string): Promise<LinkAct> {
  const there = await targetOf(path);
  const isFree = there.kind === 'nothing' || (there.kind === 'link' && isInside(there.target, folder));
  if (!isFree) throw occupied(path, 'Something is there already, and it is not touched.');
  const made: string[] = [];
  for (let above = dirname(path); ; above = dirname(above)) {
    const kind = (await targetOf(above)).kind;
    if (kind !== 'nothing' || above === dirname(above)) break;
    made.unshift(above);
  }
  return { act: 'link', path, into: folder, made };
}

/** Makes the link and the folders above it. Problem bad-value if the system does not let us. */
export async function makeLink({ path, made }: LinkAct, target: string): Promise<void> {
  try {
    for (const folder of made) await mkdir(folder, { recursive: true });
    const there = await targetOf(path);
    if (there.kind === 'link') await rm(path);
    await symlink(target, path);
  } catch (error) {
    throw occupied(path, error instanceof Error ? error.message : String(error), error);
  }
}

/** Removes the links that still lead into their folders, and the folders made for them that are empty. */
export async function removeLinks(links: readonly LinkAct[]): Promise<void> {
  for (const { path, into, made } of links) {
    const there = await targetOf(path);
    if (there.kind === 'link' && isInside(there.target, into)) await rm(path, { force: true });
    for (const folder of made.toReversed()) {
      try {
        await rmdir(folder);
      } catch (error) {
        // Somebody put something into it, or removed it.
        if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(codeOf(error))) throw error;
        break;
      }
    }
  }
}

type There =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'other' };

async function targetOf(path: string): Promise<There> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return { kind: 'other' };
    return { kind: 'link', target: resolve(dirname(path), await readlink(path)) };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return { kind: 'nothing' };
    throw error;
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function occupied(path: string, why: string, cause?: unknown): Problem {
  return new Problem(
    {
      code: 'bad-value',
      what: `No link to a volume can stand at ${path}.`,
      why,
      remedy: 'Choose another path for it, or move what is there away.',
    },
    { cause },
  );
}
