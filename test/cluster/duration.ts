import { ClusterError } from './error.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** The milliseconds of `20ms`, `1.5s`, `2m` or `0`. A number without a unit is refused: nobody remembers which one it is. */
export function parseDuration(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text.trim());
  if (text.trim() === '0') return 0;
  const factor = units[parts?.[2] ?? ''];
  if (parts === null || factor === undefined) {
    throw new ClusterError(`"${text}" is no duration: write it as 20ms, 1.5s or 2m.`);
  }
  return Number(parts[1]) * factor;
}
