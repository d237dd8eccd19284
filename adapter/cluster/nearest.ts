/** Finds what the user may have meant. */
import { distance } from 'fastest-levenshtein';

/** The candidates nearest to a word, best first; only those near enough to be a slip, at most three. */
export function nearest(word: string, candidates: Iterable<string>): readonly string[] {
  const limit = Math.max(2, Math.floor(word.length / 2));
  return [...new Set(candidates)]
    .map((candidate) => ({ candidate, far: candidate.includes(word) ? 0.5 : distance(word, candidate) }))
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far || a.candidate.localeCompare(b.candidate))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** 'Did you mean "a" or "b"?' or, if nothing is near, a list of what there is; empty if there is nothing. */
export function suggest(word: string, candidates: readonly string[], noun: string): string {
  const near = nearest(word, candidates);
  if (near.length > 0) return `Did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
  if (candidates.length === 0) return '';
  const shown = [...candidates].sort().slice(0, 20);
  return `The ${noun} are: ${shown.join(', ')}${candidates.length > shown.length ? ', …' : ''}.`;
}
