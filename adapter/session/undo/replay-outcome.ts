/** How the last undo by a later command ended, beside the journal: so that it is not tried at every command. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Problem } from '../../problem.ts';
import type { SessionFiles } from '../state-folder.ts';

const failedSchema = z.object({ time: z.string(), message: z.string() });
/** When and why it failed. */
export type FailedReplay = z.infer<typeof failedSchema>;

/** The last failure; undefined if there was none since something was undone, or nobody could write it down. */
export function lastFailure(files: Pick<SessionFiles, 'replay'>): FailedReplay | undefined {
  try {
    return failedSchema.parse(JSON.parse(readFileSync(files.replay, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Remembers a failure. On a full disk it is not remembered, and the next command tries again. */
export function rememberFailure(files: Pick<SessionFiles, 'replay'>, problem: Problem, time = new Date()): void {
  const failed: FailedReplay = { time: time.toISOString(), message: problem.message };
  try {
    writeFileSync(files.replay, JSON.stringify(failed), { mode: 0o600 });
  } catch {
    forgetFailure(files);
  }
}

/** Forgets it: something was undone, or a new session begins. */
export function forgetFailure(files: Pick<SessionFiles, 'replay'>): void {
  try {
    rmSync(files.replay, { force: true });
  } catch {
    // It only delays the next try.
  }
}
