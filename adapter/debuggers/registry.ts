/** All debuggers that can be delegated to. */
import { distance } from 'fastest-levenshtein';
import { Problem } from '../problem.ts';
import { debugpy } from './debugpy.ts';
import type { DebuggerProfile } from './profile.ts';

const profiles: readonly DebuggerProfile[] = [debugpy];

/** The profile for a `delegate.type`. Throws Problem delegate-unknown naming the known ones and the nearest. */
export function findProfile(type: string, among: readonly DebuggerProfile[] = profiles): DebuggerProfile {
  const found = among.find((profile) => profile.types.includes(type));
  if (found !== undefined) return found;
  const known = among.flatMap((profile) => profile.types);
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
