/**
 * The parts of docs/ that are made from the program, so that page and program cannot drift apart.
 * In a page such a part stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; `npm run docs` writes it anew.
 */

import { developmentLicences, productLicences } from '../dependencies/licences.ts';
import { variablesOfTheComputer } from './environment.ts';
import {
  debugAdapterTable,
  delegateTable,
  environmentTable,
  keysOfTheIde,
  keyTable,
  volumesTable,
} from './launch-configuration.ts';
import { clusterReaper, roleOfReaper, roleOfReaperMaker } from './reaper.ts';
import {
  clusterRoleOfNamespaces,
  roleInDefault,
  roleOfNamespace,
  roleOfOneWorkload,
  roleOfOtherNamespace,
  roleOfWiderRights,
} from './rights.ts';

const yaml = (text: string) => `\`\`\`yaml\n${text}\`\`\``;

/** Page → part → its text. */
export const madeParts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'docs/rights.md': {
    deployment: yaml(roleOfOneWorkload('Deployment')),
    statefulset: yaml(roleOfOneWorkload('StatefulSet')),
    daemonset: yaml(roleOfOneWorkload('DaemonSet')),
    pod: yaml(roleOfOneWorkload('Pod')),
    namespace: yaml(roleOfNamespace()),
    wider: yaml(roleOfWiderRights()),
    names: yaml(roleOfOtherNamespace()),
    default: yaml(roleInDefault()),
    namespaces: yaml(clusterRoleOfNamespaces()),
  },
  'docs/launch-configuration.md': {
    keys: keyTable(),
    delegate: delegateTable(),
    debugAdapter: debugAdapterTable(),
    environment: environmentTable(),
    volumes: volumesTable(),
    ide: keysOfTheIde(),
  },
  'docs/reaper.md': {
    maker: yaml(roleOfReaperMaker()),
    own: yaml(roleOfReaper()),
    cluster: yaml(clusterReaper()),
  },
  'docs/licences.md': { product: productLicences(), development: developmentLicences() },
  'docs/environment.md': { computer: variablesOfTheComputer() },
};

/** The page with its made parts as they must be. An Error names a part that the page has no place for. */
export function withMadeParts(page: string, text: string): string {
  return Object.entries(madeParts[page] ?? {}).reduce((all, [name, part]) => {
    const { before, after } = around(page, all, name);
    return `${before}\n${part}\n${after}`;
  }, text);
}

/** A made part as it stands in a page. */
export function madePart(page: string, text: string, name: string): string {
  const { before, after } = around(page, text, name);
  return text.slice(before.length, text.length - after.length).trim();
}

function around(page: string, text: string, name: string): { before: string; after: string } {
  const begin = text.indexOf(`<!-- begin ${name} -->`);
  const end = text.indexOf(`<!-- end ${name} -->`);
  if (begin < 0 || end < begin) throw new Error(`${page} has no place for its part "${name}".`);
  return { before: text.slice(0, text.indexOf('-->', begin) + '-->'.length), after: text.slice(end) };
}
