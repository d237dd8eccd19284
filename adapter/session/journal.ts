/**
 * The journal of one session: each act is written and fsync'd before it is done, so that whoever starts next can undo it.
 * One JSON object a line; a torn last line (power failure) is an act that never began.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { replacementRecordSchema } from '../cluster/replacement.ts';
import { Problem } from '../problem.ts';

const actSchema = z.discriminatedUnion('act', [
  z.object({
    act: z.literal('session'),
    version: z.literal(1),
    id: z.string(),
    started: z.string(),
    pid: z.int(),
    kubeconfig: z.string().optional(),
    context: z.string(),
    namespace: z.string(),
    target: z.string(),
  }),
  z.object({ act: z.literal('lease'), name: z.string() }),
  z.object({ act: z.literal('replacement'), record: replacementRecordSchema }),
  z.object({ act: z.literal('hosts'), file: z.string() }),
  /** The files of the pod's volumes. */
  z.object({ act: z.literal('volumes'), folder: z.string() }),
  /** A link of the user's choice that leads into that folder, and the folders made for it, outermost first. */
  z.object({ act: z.literal('link'), path: z.string(), into: z.string(), made: z.array(z.string()) }),
]);

/** One thing that a session does to the cluster or the computer and that must be undone. */
export type Act = z.infer<typeof actSchema>;
/** The first act of every journal: whose it is. */
export type SessionAct = Extract<Act, { act: 'session' }>;

/** An open journal. Deleted once everything in it is undone. */
export class Journal implements Disposable {
  readonly path: string;
  #file: number | undefined;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, 'a', 0o600);
  }

  /** Writes an act down before it is done; throws if the disk does not take it, and then it must not be done. */
  append(act: Act): void {
    if (this.#file === undefined) throw new Error('the journal is closed');
    try {
      writeSync(this.#file, `${JSON.stringify(act)}\n`);
      fsyncSync(this.#file);
    } catch (error) {
      throw new Problem(
        {
          code: 'state-unwritable',
          what: `The journal ${this.path} cannot be written.`,
          why: error instanceof Error ? error.message : String(error),
          remedy: 'Free some space or set KUBERNETES_LOCAL_STATE to another folder. Nothing more was changed.',
        },
        { cause: error },
      );
    }
  }

  /** Forgets everything: all acts are undone. */
  delete(): void {
    this[Symbol.dispose]();
    rmSync(this.path, { force: true });
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** The acts of a journal in the order they were written; none if there is no file. */
export function readJournal(path: string): readonly Act[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  const torn = lines.pop();
  const acts: Act[] = [];
  for (const [index, line] of [...lines, ...(torn ? [torn] : [])].entries()) {
    const parsed = actSchema.safeParse(parseJson(line));
    if (parsed.success) acts.push(parsed.data);
    else if (index < lines.length) {
      throw new Problem({
        code: 'state-unwritable',
        what: `Line ${index + 1} of the journal ${path} cannot be read.`,
        why: z.prettifyError(parsed.error),
        remedy: 'Run the version of kubernetes-local that wrote it, with "restore".',
      });
    }
  }
  return acts;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
