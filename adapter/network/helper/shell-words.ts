/**
 * The one command line that goes through shells: sudo-prompt hands strings to /bin/sh and bash, or to cmd.exe, and quotes
 * only double quotes. So nothing is quoted here that one of them could read otherwise; it is refused.
 */
import { tmpdir } from 'node:os';
import { Problem } from '../../problem.ts';

/** Nothing that a POSIX shell reads within double quotes ($ ` \ ! "), once or twice. */
const posixSafe = /^[\p{L}\p{N} _/.,:=@+-]+$/u;
/** Nothing that cmd.exe reads within double quotes (% ! ^ & | < > "). */
const windowsSafe = /^[\p{L}\p{N} _/\\.,:=@+()~-]+$/u;

/**
 * The command as one line that every shell between reads as these very words. The folders that sudo-prompt puts into
 * its own lines, the current and the temporary one, must be readable as well. Problem privileges-needed.
 */
export function shellLine(
  command: readonly string[],
  platform: NodeJS.Platform = process.platform,
  folders: readonly string[] = [process.cwd(), tmpdir()],
): string {
  const safe = platform === 'win32' ? windowsSafe : posixSafe;
  const unsafe = [...command, ...folders].find((word) => !safe.test(word));
  if (unsafe !== undefined) {
    throw new Problem({
      code: 'privileges-needed',
      what: 'The question for privileges cannot be shown.',
      why: `${JSON.stringify(unsafe)} has characters that a shell could misread, and it would be read as an administrator.`,
      remedy: 'Install kubernetes-local in a folder whose path has only letters, digits, spaces and . _ - in it.',
    });
  }
  return command.map((word) => `"${word}"`).join(' ');
}
