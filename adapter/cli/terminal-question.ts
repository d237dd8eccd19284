/** Asks a question at the terminal: on standard error, for standard output is the program's. */
import { createInterface } from 'node:readline/promises';

/** Where is asked and answered; tests give others. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** The terminal of this process. */
export const ownTerminal = (): Terminal => ({ input: process.stdin, output: process.stderr });

/** Whether somebody sits at both ends. */
export function canAsk({ input, output }: Terminal): boolean {
  return input.isTTY === true && output.isTTY === true;
}

/** One line of answer; undefined if the input ends instead. Throws the signal's reason. */
export async function askLine(
  question: string,
  { input, output }: Terminal,
  signal: AbortSignal,
): Promise<string | undefined> {
  signal.throwIfAborted();
  // Not as an editor of its own: Ctrl-C stays the signal that ends the command.
  const lines = createInterface({ input, output, terminal: false });
  const closed = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)));
  try {
    const answer = await Promise.race([lines.question(question, { signal }), closed]);
    if (answer === undefined) output.write('\n');
    return answer?.trim();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}
