/** The undo of earlier sessions that this command begins beside itself, for whoever has a place to say so. */
import { hasJournals } from '../session/state-folder.ts';
import { ownProgram } from './program.ts';

let begun: string | undefined;

/** Begins it, if there is something to undo; what the user is to be told, else undefined. Never throws. */
export async function beginReplay(): Promise<string | undefined> {
  // Most commands meet nothing, and must not load what undoes it.
  if (!hasJournals()) return undefined;
  const { startReplay } = await import('../session/undo/replay.ts');
  begun = (await startReplay({ command: ownProgram() }))?.text;
  return begun;
}

/** What `beginReplay` said, once. */
export function takeReplayText(): string | undefined {
  const text = begun;
  begun = undefined;
  return text;
}
