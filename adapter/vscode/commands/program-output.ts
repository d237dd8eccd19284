/** What our program said on standard error: its lines for the user, and the problem that ended it. */
import { catalogue, Problem, type ProblemCode } from '../../problem.ts';

export interface ProgramOutput {
  /** Without the lines of the problem. */
  readonly lines: readonly string[];
  readonly problem: Problem | undefined;
}

const problemLine = /^error \(([a-z-]+)\): (.*)$/;

/** The program writes a problem last: `error (CODE): what`, then why, remedy and log in lines that are indented. */
export function readOutput(stderr: string, exitCode: number | null): ProgramOutput {
  const all = stderr.split(/\r?\n/).filter((line) => line.trim() !== '');
  const index = all.findIndex((line) => problemLine.test(line));
  if (index < 0) return { lines: all, problem: exitCode === 0 ? undefined : unknownEnd(all, exitCode) };
  const [, code = '', what = ''] = problemLine.exec(all[index] ?? '') ?? [];
  const more = all.slice(index + 1).map((line) => line.trim());
  const problem = new Problem({
    code: isCode(code) ? code : 'defect',
    what,
    why: '',
    remedy: more.filter((line) => !line.startsWith('Log: ')).join(' '),
  });
  return { lines: all.slice(0, index), problem };
}

function isCode(code: string): code is ProblemCode {
  return Object.hasOwn(catalogue, code);
}

function unknownEnd(lines: readonly string[], exitCode: number | null): Problem {
  return new Problem({
    code: 'defect',
    what: `kubernetes-local ended ${exitCode === null ? 'by a signal' : `with exit code ${exitCode}`}.`,
    why: lines.slice(-3).join(' '),
    remedy: 'The log has more of it.',
  });
}
