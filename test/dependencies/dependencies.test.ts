/** What comes from others: nothing that is known to be unsafe, nothing under a licence that does not fit, no surprises. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import known from './advisories.json' with { type: 'json' };
import { allowedInDevelopment, allowedInProduct } from './licences.ts';
import { type LockedPackage, licenceInFolder, lockedPackages } from './lock.ts';
import { isInRange } from './version-range.ts';

const packages = lockedPackages();
const called = ({ folder, version }: Pick<LockedPackage, 'folder' | 'version'>) => `${folder}@${version}`;

test('the lock file names all packages, each with a hash of its content', () => {
  expect(packages.length).toBeGreaterThan(100);
  const hashed = /^sha512-[A-Za-z0-9+/]{86}==$/;
  expect(packages.filter(({ integrity }) => !hashed.test(integrity ?? '')).map(called)).toEqual([]);
});

test('only known packages run something when they are installed', () => {
  // bufferutil and serialport bring binaries and compile where there is none for the platform; esbuild and node fetch theirs.
  expect([...new Set(packages.filter((each) => each.hasInstallScript).map(({ name }) => name))].sort()).toEqual([
    '@serialport/bindings-cpp',
    'bufferutil',
    'cdt-gdb-adapter',
    'esbuild',
    'node',
  ]);
});

describe('licences', () => {
  test('are among those that fit', () => {
    const stray = packages.filter(({ licence = '', development }) =>
      development ? !allowedInDevelopment.has(licence) : !allowedInProduct.has(licence),
    );
    expect(stray.map((each) => `${called(each)} ${each.licence}`)).toEqual([]);
  });

  test('are in the packages what they are in the lock file', () => {
    const installed = packages.flatMap((each) => {
      const own = licenceInFolder(each);
      return own === undefined ? [] : [{ name: called(each), own, locked: each.licence }];
    });
    expect(installed.length).toBeGreaterThan(100);
    expect(installed.filter(({ own, locked }) => own !== locked)).toEqual([]);
  });

  test('are known of every package that users get, from the package itself', () => {
    const product = packages.filter(({ development, optional }) => !development && !optional);
    expect(product.filter((each) => licenceInFolder(each) === undefined).map(called)).toEqual([]);
  });
});

const advisorySchema = z.strictObject({
  id: z.string().regex(/^GHSA(-[23456789cfghjmpqrvwx]{4}){3}$/),
  package: z.string(),
  vulnerable: z.string(),
  what: z.string(),
  source: z.url(),
});
const { advisories } = z.object({ gathered: z.iso.date(), advisories: z.array(advisorySchema) }).parse(known);

/** Those of the packages about which there is an advisory, in words. */
const affected = (all: readonly Pick<LockedPackage, 'folder' | 'name' | 'version'>[]): readonly string[] =>
  all.flatMap((each) =>
    advisories
      .filter(({ package: name, vulnerable }) => name === each.name && isInRange(each.version, vulnerable))
      .map(({ id, what }) => `${called(each)}: ${what} (${id})`),
  );

describe('advisories', () => {
  test('are none about a package of the lock file', () => {
    expect(affected(packages)).toEqual([]);
  });

  test('are found for versions that they are about', () => {
    expect(affected([{ folder: 'node_modules/ws', name: 'ws', version: '8.20.0' }])).toEqual([
      expect.stringContaining('GHSA-58qx-3vcg-4xpx'),
      expect.stringContaining('GHSA-96hv-2xvq-fx4p'),
    ]);
  });

  test('are about packages that are here, each once, and name their source', () => {
    const names = new Set(packages.map(({ name }) => name));
    expect(advisories.filter((each) => !names.has(each.package)).map(({ id }) => id)).toEqual([]);
    expect(new Set(advisories.map(({ id }) => id)).size).toBe(advisories.length);
    expect(advisories.filter(({ id, source }) => !source.endsWith(`/${id}`))).toEqual([]);
  });
});
