/** The record of a replacement: all that undo needs, as JSON in the journal and in an annotation of the workload. */
import { z } from 'zod';
import { workloadKinds } from './kinds.ts';
import { templateSchema } from './objects.ts';

const json = z.json();

/** One thing changed in the pod template: where, before, after. `null` means that it is not there. */
const changeSchema = z.discriminatedUnion('at', [
  z.object({ at: z.literal('container'), field: z.string(), before: json, after: json }),
  z.object({ at: z.literal('variable'), name: z.string(), before: json, after: json }),
  z.object({ at: z.literal('sysctl'), name: z.string(), before: json, after: json }),
  z.object({ at: z.literal('annotation'), name: z.string(), before: json, after: json }),
]);

export const replacementRecordSchema = z.object({
  version: z.literal(1),
  session: z.string(),
  workload: z.object({ kind: z.enum(workloadKinds), name: z.string(), namespace: z.string(), uid: z.string() }),
  container: z.string(),
  /** The query that finds the workload's pods. */
  pods: z.object({ labelSelector: z.string().optional(), fieldSelector: z.string().optional() }),
  /** The agent's image, for messages. */
  image: z.string(),
  changes: z.array(changeSchema),
  /** The pod template before, to prove the undo. A bare pod is made again from it. */
  original: templateSchema,
  /** How many pods were ready before: the undo waits for so many again. */
  readyBefore: z.number(),
  /** ISO time by the API server's clock. */
  plannedAt: z.string(),
  /** Who replaced it, as `anna on laptop`; for the eyes of colleagues. */
  holder: z.string().optional(),
  /** What the user should know about the replacement. */
  notes: z.array(z.string()),
});

export type Change = z.infer<typeof changeSchema>;
export type ReplacementRecord = z.infer<typeof replacementRecordSchema>;
export type Json = z.infer<typeof json>;

/** Reads a record from an annotation; undefined if it is not one of this version. */
export function parseRecord(text: string): ReplacementRecord | undefined {
  try {
    return replacementRecordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
