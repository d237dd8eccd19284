/**
 * The journal of one session: each act is written and fsync'd before it is done, so that whoever starts next can undo it.
 * One JSON object a line; a torn last line (power failure, full disk) is an act that never began.
 * This folder: what a session has done and has to undo, written and told in words.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { replacementRecordSchema } from '../../cluster/replacement.ts';
import { Problem } from '../../problem.ts';
import { version as ownVersion } from '../../version.ts';

const actSchema = z.discriminatedUnion('act', [
  z.object({
    act: z.literal('session'),
    version: z.literal(1),
    /** The version of kubernetes-local that writes the journal, for whoever cannot read it. */
    by: z.string().optional(),
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
  /** The workload was deleted by somebody else during the session: the undo must not bring it back. */
  z.object({ act: z.literal('gone') }),
  /** What watches over the session in the cluster; all of its objects have this name. */
  z.object({ act: z.literal('reaper'), name: z.string() }),
  /** An entry in the Lease of a session that this one shares. */
  z.object({ act: z.literal('guest'), lease: z.string() }),
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

/** How bytes reach the disk; tests give one that is full. */
type Write = (file: number, bytes: Uint8Array) => number;

/** An open journal. Deleted once everything in it is undone. */
export class Journal implements Disposable {
  readonly path: string;
  readonly #write: Write;
  readonly #acts: Act[] = [];
  #file: number | undefined;
  /** Where the last whole line ends. */
  #end: number;

  /** Throws Problem state-unwritable if the file cannot be made; of one that is there already, a torn last line is cut off. */
  constructor(path: string, write: Write = writeSync) {
    this.path = path;
    this.#write = write;
    try {
      this.#file = openSync(path, 'a', 0o600);
      this.#end = wholeLines(path);
      if (fstatSync(this.#file).size > this.#end) ftruncateSync(this.#file, this.#end);
      syncFolder(dirname(path));
    } catch (error) {
      this[Symbol.dispose]();
      throw unwritable(path, error);
    }
  }

  /** What was written so far. It is known to the session also when somebody has removed the file. */
  get acts(): readonly Act[] {
    return this.#acts;
  }

  /**
   * Writes an act down before it is done. Problem state-unwritable if the disk does not take it: then it must not be done,
   * and the file is as before, so that later acts can be read.
   */
  append(act: Act): void {
    if (this.#file === undefined) throw new Error('the journal is closed');
    const line = act.act === 'session' ? { ...act, by: ownVersion } : act;
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    try {
      // A disk that is about to be full takes a part without an error.
      for (let done = 0; done < bytes.length; ) done += this.#write(this.#file, bytes.subarray(done));
      fsyncSync(this.#file);
    } catch (error) {
      this.#cutBack();
      throw unwritable(this.path, error);
    }
    this.#end += bytes.length;
    this.#acts.push(line);
  }

  /** Without the torn line. If even that fails, nothing can be added any more: it would make the line unreadable. */
  #cutBack(): void {
    if (this.#file === undefined) return;
    try {
      ftruncateSync(this.#file, this.#end);
      fsyncSync(this.#file);
    } catch {
      this[Symbol.dispose]();
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

/** The acts of a journal in the order they were written; none if there is no file. Problem state-unwritable if it cannot be read. */
export function readJournal(path: string): readonly Act[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  const torn = lines.pop();
  const acts: Act[] = [];
  for (const [index, line] of [...lines, ...(torn ? [torn] : [])].entries()) {
    const parsed = actSchema.safeParse(parseJson(line));
    if (parsed.success) acts.push(parsed.data);
    else if (index < lines.length) throw unreadable(path, index + 1, lines, parsed.error);
  }
  return acts;
}

const writerSchema = z.looseObject({ version: z.int(), by: z.string().optional() });

/** Such a journal is left alone: whoever wrote it knows what its acts mean. */
function unreadable(path: string, line: number, lines: readonly string[], error: z.ZodError): Problem {
  const { data: writer } = writerSchema.safeParse(parseJson(lines[0] ?? ''));
  const isOurs = writer === undefined || (writer.version === 1 && (writer.by ?? ownVersion) === ownVersion);
  return new Problem({
    code: 'state-unwritable',
    what: `Line ${line} of the journal ${path} cannot be read.`,
    why: isOurs
      ? z.prettifyError(error)
      : `It was written by kubernetes-local ${writer.by ?? 'of another version'} (version ${writer.version} of the journal); this is ${ownVersion}.`,
    remedy: 'It was left as it is. Run the version of kubernetes-local that wrote it, with "restore".',
  });
}

/** How many bytes of the file are whole lines. */
function wholeLines(path: string): number {
  return readFileSync(path).lastIndexOf('\n') + 1;
}

/** Without it a power failure may take the new file's name with it. Windows does not open folders, and does not need it. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function unwritable(path: string, error: unknown): Problem {
  return new Problem(
    {
      code: 'state-unwritable',
      what: `The journal ${path} cannot be written.`,
      why: error instanceof Error ? error.message : String(error),
      remedy: 'Free some space or set KUBERNETES_LOCAL_STATE to another folder. Nothing more was changed.',
    },
    { cause: error },
  );
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
