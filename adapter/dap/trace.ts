/** One line for each message, for `--trace`: values of environment variables are masked, the shape stays. */
import type { Raw } from './message.ts';

const environmentKeys = new Set(['env', 'environment']);

export function traceLine(direction: string, message: Raw): string {
  const text = JSON.stringify(message, (key, value: unknown) =>
    environmentKeys.has(key) && typeof value === 'object' && value !== null ? masked(value) : value,
  );
  return `${direction} ${text}`;
}

/** `{K: V}` and `["K=V"]` are both in use among debug adapters. */
function masked(environment: object): unknown {
  if (Array.isArray(environment)) return environment.map((entry) => String(entry).replace(/=.*/s, '=…'));
  return Object.fromEntries(Object.keys(environment).map((name) => [name, '…']));
}
