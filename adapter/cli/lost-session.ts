/** The end of a session that was lost, as a command in a terminal sees it. */
import { Problem } from '../problem.ts';
import type { SessionClient } from '../session/client/client.ts';
import { showLine, showNotice } from './terminal.ts';

/**
 * Waits for the undo, which the loss has begun, for at most `budget` milliseconds. Problem undo-incomplete if something is
 * left: that is then what the command ends with, and the loss is told before it.
 */
export async function seeUndo(session: Pick<SessionClient, 'leave'>, loss: Problem, budget: number): Promise<void> {
  // A daemon that is gone undoes nothing; the loss says what does.
  if (loss.code === 'daemon-failed') return;
  try {
    const ending = await session.leave(budget);
    if (ending === 'undone') showLine('What the session had changed is undone.');
    else showLine('The daemon goes on with the undo; "kubernetes-local status" shows it.');
  } catch (error) {
    // A daemon that has finished and gone meanwhile does not answer any more.
    if (Problem.from(error).code !== 'undo-incomplete') return;
    showNotice({ level: 'warning', text: loss.message });
    throw error;
  }
}
