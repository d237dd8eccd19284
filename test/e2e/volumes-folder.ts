/** Where the sessions of a world keep the files of volumes on this computer, by their journals. */
import { existsSync, lstatSync, readdirSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { readJournal } from '../../adapter/session/journal/journal.ts';
import type { World } from '../stage/world.ts';

/** statfs(2). */
const tmpfsMagic = 0x01021994;

/** What a journal says of the files of one session. */
export interface VolumesFolder {
  readonly folder: string;
  readonly links: readonly string[];
}

/** The folders of all sessions that are not undone. */
export function volumesFolders(world: World): readonly VolumesFolder[] {
  const sessions = join(world.state, 'sessions');
  if (!existsSync(sessions)) return [];
  return readdirSync(sessions)
    .map((key) => readJournal(join(sessions, key, 'journal.jsonl')))
    .flatMap((acts) => {
      const links = acts.filter((act) => act.act === 'link').map(({ path }) => path);
      return acts.filter((act) => act.act === 'volumes').map(({ folder }) => ({ folder, links }));
    });
}

/** The folder of the one session that stands: nobody else may enter it, and it is in memory where that is possible. */
export function privateVolumesFolder(world: World): VolumesFolder {
  const [found, ...others] = volumesFolders(world);
  expect(others).toEqual([]);
  if (found === undefined) throw new Error('No journal names a folder of volumes.');
  const stat = lstatSync(found.folder);
  expect(stat.isDirectory()).toBe(true);
  expect((stat.mode & 0o7777).toString(8)).toBe('700');
  expect(stat.uid).toBe(world.uid);
  expect(statfsSync(dirname(found.folder)).type).toBe(tmpfsMagic);
  return found;
}

/** Nothing of it is left. */
export function expectGone({ folder, links }: VolumesFolder): void {
  for (const path of [folder, ...links]) expect(lstatSync(path, { throwIfNoEntry: false }), path).toBeUndefined();
}
