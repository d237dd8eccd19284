/** What the doctor says of a real debugger: whether it is installed and can be started. Starts at most its check. */
import type { DebuggerProfile } from '../debuggers/profile.ts';
import { findProfile } from '../debuggers/registry.ts';
import { type Finding, limited, notPossible, ok } from '../network/doctor/finding.ts';
import { Problem } from '../problem.ts';

export interface DebuggerFinding {
  readonly finding: Finding;
  /** What a debug session would end with. */
  readonly problem: Problem | undefined;
}

/** Looks for the debugger of a `delegate.type`. Rejects with what is no Problem. */
export async function debuggerFinding(
  type: string,
  signal: AbortSignal,
  find: (type: string) => DebuggerProfile = findProfile,
): Promise<DebuggerFinding> {
  const subject = `debugger ${type}`;
  try {
    const profile = find(type);
    const command = profile.command({ args: {} });
    await profile.check(command, signal);
    const what = command.argv.length === 0 ? 'It runs already' : command.argv.join(' ');
    return { finding: ok(subject, `${profile.title} is there: ${what} (${command.origin}).`), problem: undefined };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const text = [error.what, error.why].filter(Boolean).join(' ');
    const remedy = error.remedy === '' ? undefined : error.remedy;
    // Only a launch configuration tells the rest; without it nothing is wrong yet.
    if (error.code === 'missing-key') return { finding: limited(subject, text, remedy), problem: undefined };
    return { finding: notPossible(subject, text, remedy), problem: error };
  }
}
