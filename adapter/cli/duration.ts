/** Durations on the command line, such as 30m. */
import { InvalidArgumentError } from 'commander';

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** The milliseconds of `90s`, `30m` or `1.5h`. @throws InvalidArgumentError, as commander wants it. */
export function parseDuration(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  const factor = units[unit];
  if (number === undefined || factor === undefined) throw new InvalidArgumentError('Write it as 90s, 30m or 8h.');
  return Math.round(Number(number) * factor);
}

/** As people say it: "8 hours", "1 hour 30 minutes", "5 seconds". */
export function describeDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 3600), 'hour'],
    [Math.floor((seconds % 3600) / 60), 'minute'],
    [seconds % 60, 'second'],
  ];
  const told = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`);
  return told.length === 0 ? '0 seconds' : told.join(' ');
}
