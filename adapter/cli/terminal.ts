/** What a terminal shows: plain lines on standard error, so that standard output stays the program's. */
import type { Log } from '../diagnostics/log.ts';
import type { Problem } from '../problem.ts';
import type { Notice } from '../session/protocol.ts';
import { type ErrorFormat, formatNotice, formatProblem } from './error-format.ts';

let format: ErrorFormat = 'text';

/** How this command tells problems and notices from now on. */
export function tellProblemsAs(chosen: ErrorFormat): void {
  format = chosen;
}

/** A line of progress. */
export function showProgress(text: string): void {
  process.stderr.write(`${text} …\n`);
}

/** Something the user should know. */
export function showNotice(notice: Notice): void {
  process.stderr.write(`${formatNotice(notice, format)}\n`);
}

/** A plain line. */
export function showLine(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Shows what happened, why and what to do, and the log that tells more; returns the exit code. */
export function reportProblem(problem: Problem, log?: Log): number {
  log?.write('error', 'the command ends with a problem', {
    problem: problem.toJSON(),
    error: problem.cause ?? problem,
  });
  const lines = [formatProblem(problem, format), ...(log?.path === undefined ? [] : [`Log: ${log.path}`])];
  process.stderr.write(`${lines.join('\n  ')}\n`);
  return problem.exitCode;
}
