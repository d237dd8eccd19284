/**
 * Who changed a part of an object, by the record that the API server keeps of it (managedFields).
 * Source: kubernetes.io/docs/reference/using-api/server-side-apply, "Field management"; the fields are FieldsV1.
 */
import { z } from 'zod';
import { fieldManager } from './api.ts';

/** Somebody who changed an object: the name that their tool gave itself, and when. */
export interface Author {
  readonly manager: string;
  /** ISO time by the API server's clock; undefined if it did not say. */
  readonly time: string | undefined;
}

/** A step into an object: the name of a field, or the name of an element of a list such as `containers`. */
export type Step = string | { readonly name: string };

const entrySchema = z.looseObject({
  manager: z.string().default(''),
  time: z.string().optional(),
  subresource: z.string().optional(),
  fieldsV1: z.record(z.string(), z.unknown()).default({}),
});
const entriesSchema = z.array(entrySchema).catch([]);
type Entry = z.infer<typeof entrySchema>;

/**
 * Who made the newest change between two states of an object, at this place if that can be told; undefined if nobody can be
 * named. A field that was taken away is nobody's: then it is who wrote anything at all.
 */
export function authorOf(before: unknown, now: unknown, at: readonly Step[]): Author | undefined {
  const known = new Set(entriesOf(before).map((entry) => JSON.stringify(entry)));
  const all = entriesOf(now);
  const written = all.filter((entry) => !known.has(JSON.stringify(entry)));
  // A tool that owned the field already leaves no new entry when it sets it again.
  const groups = [written.filter(covers(at)), all.filter(covers(at)), written];
  const [newest] = groups.map(newestOf).filter((entry) => entry !== undefined);
  return newest && { manager: newest.manager, time: newest.time };
}

function entriesOf(object: unknown): readonly Entry[] {
  const { managedFields } = z.looseObject({ managedFields: entriesSchema }).catch({ managedFields: [] }).parse(object);
  // Controllers write their findings all the time; our own writes are known.
  return managedFields.filter(({ subresource, manager }) => subresource !== 'status' && manager !== fieldManager);
}

function covers(at: readonly Step[]): (entry: Entry) => boolean {
  return ({ fieldsV1 }) => {
    let fields: unknown = fieldsV1;
    for (const step of at) {
      const key = typeof step === 'string' ? `f:${step}` : `k:${JSON.stringify(step)}`;
      const found = z.record(z.string(), z.unknown()).safeParse(fields).data?.[key];
      if (found === undefined) return false;
      fields = found;
    }
    return at.length > 0;
  };
}

function newestOf(entries: readonly Entry[]): Entry | undefined {
  return entries.toSorted((a, b) => Date.parse(b.time ?? '0') - Date.parse(a.time ?? '0'))[0];
}
