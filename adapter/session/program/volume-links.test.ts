import { lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeLink, planLink, removeLinks } from './volume-links.ts';

let place: string;
let folder: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'kubernetes-local-links-'));
  folder = join(place, 'volumes');
  mkdirSync(folder);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
const target = () => join(folder, 'mounts', 'etc', 'cart');

describe('a link to a volume', () => {
  it('is made, made again after a crash, and removed, again and again', async () => {
    const path = join(place, 'config');
    const act = await planLink(path, folder);
    expect(act).toEqual({ act: 'link', path, into: folder, made: [] });
    await makeLink(act, target());
    await makeLink(await planLink(path, folder), target());
    expect(readlinkSync(path)).toBe(target());
    await removeLinks([act]);
    await removeLinks([act]);
    expect(isThere(path)).toBe(false);
    expect(isThere(folder)).toBe(true);
  });

  it('gets the folders above it, which go with it unless somebody uses them', async () => {
    const first = await planLink(join(place, 'a', 'b', 'config'), folder);
    expect(first.made).toEqual([join(place, 'a'), join(place, 'a', 'b')]);
    await makeLink(first, target());
    await removeLinks([first]);
    expect(isThere(join(place, 'a'))).toBe(false);
    await makeLink(first, target());
    writeFileSync(join(place, 'a', 'mine'), 'mine');
    await removeLinks([first]);
    expect(isThere(join(place, 'a', 'mine'))).toBe(true);
    expect(isThere(join(place, 'a', 'b'))).toBe(false);
  });

  it('is refused where something else is', async () => {
    const file = join(place, 'file');
    writeFileSync(file, 'mine');
    const own = join(place, 'own');
    symlinkSync(place, own);
    await expect(planLink(file, folder)).rejects.toMatchObject({ code: 'bad-value' });
    await expect(planLink(own, folder)).rejects.toMatchObject({ code: 'bad-value' });
    await expect(makeLink({ act: 'link', path: join(file, 'x'), into: folder, made: [] }, target())).rejects.toThrow(
      /No link to a volume can stand at/,
    );
  });

  it('that somebody put something else in place of is left alone', async () => {
    const act = await planLink(join(place, 'config'), folder);
    await makeLink(act, target());
    rmSync(act.path);
    mkdirSync(act.path);
    writeFileSync(join(act.path, 'kept'), 'mine');
    await removeLinks([act]);
    expect(isThere(join(act.path, 'kept'))).toBe(true);
  });
});
