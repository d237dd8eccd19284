/** What a terminal shows: plain lines on standard error, so that standard output stays the program's. */
import type { Log } from '../diagnostics/log.ts';
import type { Problem } from '../problem.ts';
import type { Notice } from '../session/protocol.ts';

/** A line of progress. */
export function showProgress(text: string): void {
  process.stderr.write(`${text} …\n`);
}

/** Something the user should know. */
export function showNotice(notice: Notice): void {
  process.stderr.write(notice.level === 'warning' ? `warning: ${notice.text}\n` : `${notice.text}\n`);
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
  const told = [`error (${problem.code}): ${problem.what}`, problem.why, problem.remedy].filter(Boolean);
  const lines = [...told, ...(log?.path === undefined ? [] : [`Log: ${log.path}`])];
  process.stderr.write(`${lines.join('\n  ')}\n`);
  return problem.exitCode;
}
