/** What the user's own lines of a hosts file map. */
import hostile from 'hostile';
import { z } from 'zod';
import { blocksIn, type HostsEntry, mapped } from './hosts-file.ts';

/** A name we add that a line of the user's maps already. */
export interface ShadowedName {
  readonly name: string;
  /** Where the user's line sends it. */
  readonly address: string;
}

const entriesSchema = z.array(z.tuple([z.string(), z.string()]));

/**
 * The names of `entries` that the user's own lines in the file map to something else.
 * hostile only parses here: it would overwrite and delete users' lines.
 */
export function shadowedNames(
  path: string,
  bytes: Uint8Array,
  entries: readonly HostsEntry[],
): readonly ShadowedName[] {
  const ours = new Set(
    blocksIn(bytes).flatMap((block) =>
      block.entries
        .flatMap((entry) => [entry, mapped(entry)])
        .map(({ address, names }) => `${address} ${names.join(' ')}`),
    ),
  );
  const wanted = new Set(entries.flatMap(({ names }) => names));
  return entriesSchema
    .parse(hostile.getFile(path, false))
    .filter(([address, names]) => !ours.has(`${address} ${names}`))
    .flatMap(([address, names]) => names.split(/\s+/).map((name) => ({ name: name.toLowerCase(), address })))
    .filter(({ name }) => wanted.has(name));
}
