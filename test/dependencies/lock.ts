/** package-lock.json as the tests of the dependencies and docs/licences.md see it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '..', '..');

const entrySchema = z.looseObject({
  /** Where the folder's name is not the package's. */
  name: z.string().optional(),
  version: z.string(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  dev: z.boolean().default(false),
  optional: z.boolean().default(false),
  hasInstallScript: z.boolean().default(false),
});
const lockSchema = z.looseObject({ lockfileVersion: z.literal(3), packages: z.record(z.string(), z.unknown()) });
const manifestSchema = z.looseObject({ license: z.string() });

export interface LockedPackage {
  /** Its folder, from the root of the repository. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly integrity: string | undefined;
  /** As the lock file says; checked against the package itself where that is installed. */
  readonly licence: string | undefined;
  /** Only for the development of kubernetes-local: no part of what users get. */
  readonly development: boolean;
  /** Not installed on every platform. */
  readonly optional: boolean;
  readonly hasInstallScript: boolean;
}

/** All packages of the lock file. */
export function lockedPackages(): readonly LockedPackage[] {
  const lock = lockSchema.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
  return Object.entries(lock.packages)
    .filter(([folder]) => folder !== '')
    .map(([folder, value]) => {
      const { name, version, integrity, license, dev, optional, hasInstallScript } = entrySchema.parse(value);
      return {
        folder,
        name: name ?? folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
        version,
        integrity,
        licence: license,
        development: dev,
        optional,
        hasInstallScript,
      };
    });
}

/** The licence that an installed package states itself; undefined if it is not installed here. */
export function licenceInFolder({ folder }: LockedPackage): string | undefined {
  const manifest = join(root, folder, 'package.json');
  if (!existsSync(manifest)) return undefined;
  return manifestSchema.parse(JSON.parse(readFileSync(manifest, 'utf8'))).license;
}
