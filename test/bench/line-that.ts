/** Waits for what a command of the product says on standard error. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Resolves at the first line that is wanted; what comes after it is read and dropped. Rejects with all lines if the command ends. */
export async function lineThat(child: ChildProcess, wanted: (line: string) => boolean): Promise<void> {
  if (!child.stderr) throw new Error('no standard error');
  const seen: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    if (wanted(line)) {
      child.stderr.resume();
      return;
    }
    seen.push(line);
  }
  throw new Error(`"connect" ended early:\n${seen.join('\n')}`);
}
