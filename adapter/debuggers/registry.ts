/** All debuggers that can be delegated to. */
import { distance } from 'fastest-levenshtein';
import { Problem } from '../problem.ts';
import { cdtGdb } from './cdt-gdb.ts';
import { codelldb } from './codelldb.ts';
import { custom } from './custom.ts';
import { debugpy } from './debugpy.ts';
import { delve } from './delve.ts';
import { java } from './java.ts';
import { jsDebug } from './js-debug.ts';
import { lldbDap } from './lldb-dap.ts';
import { netcoredbg } from './netcoredbg.ts';
import type { DebuggerProfile } from './profile.ts';
import { rdbg } from './rdbg.ts';

const profiles: readonly DebuggerProfile[] = [
  debugpy,
  jsDebug,
  delve,
  lldbDap,
  codelldb,
  cdtGdb,
  rdbg,
  netcoredbg,
  java,
  custom,
];

/** The profile for a `delegate.type`. Throws Problem delegate-unknown naming the known ones and the nearest. */
export function findProfile(type: string, among: readonly DebuggerProfile[] = profiles): DebuggerProfile {
  const found = among.find((profile) => profile.types.includes(type));
  if (found !== undefined) return found;
  const known = knownTypes(among);
  const nearest = known
    .map((name) => ({ name, away: distance(name, type.toLowerCase()) }))
    .sort((a, b) => a.away - b.away)
    .find(({ name, away }) => away <= Math.max(2, name.length / 3));
  throw new Problem({
    code: 'delegate-unknown',
    what: `There is no debugger "${type}".`,
    why: `Known are ${known.join(', ')}.`,
    remedy: nearest === undefined ? 'Set "type" of the delegate to one of them.' : `Did you mean "${nearest.name}"?`,
  });
}

/** All names that a `delegate.type` may have. */
export function knownTypes(among: readonly DebuggerProfile[] = profiles): readonly string[] {
  return among.flatMap((profile) => profile.types);
}
