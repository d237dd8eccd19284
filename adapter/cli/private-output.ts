/** Where a command writes what may be secret: standard output, or a file for the user alone. */
import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Problem } from '../problem.ts';

/** Standard output, or a file that nobody else can read at any time, whatever was there. Problem bad-value. */
export function deliver(text: string, output: string | undefined): void {
  if (output === undefined) {
    process.stdout.write(text);
    return;
  }
  const path = resolve(output);
  const temporary = `${path}.${randomUUID()}`;
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new Problem(
      {
        code: 'bad-value',
        what: `${path} cannot be written.`,
        why: error instanceof Error ? error.message : String(error),
        remedy: 'Choose another --output.',
      },
      { cause: error },
    );
  }
}
