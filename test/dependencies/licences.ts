/** The licences of all packages: which are allowed where, and the tables of docs/licences.md. */
import { inLines } from '../docs/lines.ts';
import { type LockedPackage, lockedPackages } from './lock.ts';

/** They ask for no more than that their text goes along. */
const permissive = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'PSF-2.0', 'Unlicense'];

/** What users get. */
export const allowedInProduct: ReadonlySet<string> = new Set(permissive);
/** What only developers run, unchanged: here the source of what is changed would have to be given, and nothing is. */
export const allowedInDevelopment: ReadonlySet<string> = new Set([
  ...permissive,
  'EPL-2.0',
  'MIT OR Apache-2.0',
  'MPL-2.0',
  'Python-2.0',
]);

/** Packages by licence, as rows of a table. */
function table(packages: readonly LockedPackage[]): string {
  const byLicence = Map.groupBy(packages, ({ licence }) => licence ?? '');
  const rows = [...byLicence]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([licence, all]) => {
      const names = [...new Set(all.map(({ name }) => name))].sort();
      return `| ${licence} | ${inLines(names).replaceAll('\n', ' ')} |`;
    });
  return ['| licence | packages |', '| --- | --- |', ...rows].join('\n');
}

/** The licences of what users get. */
export function productLicences(): string {
  return table(lockedPackages().filter(({ development }) => !development));
}

/** The licences of what only developers need. */
export function developmentLicences(): string {
  return table(lockedPackages().filter(({ development }) => development));
}
