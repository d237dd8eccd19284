/** What JSON Schema cannot say about `debugAdapter` of a launch configuration. */
import { Problem } from '../problem.ts';
import type { LaunchSchema } from './launch.schema.d.ts';

/** The configuration with a port in digits made a number: what an IDE puts in for a variable is always text. */
export function withNumericPort(configuration: unknown): unknown {
  const settings = member(configuration, 'debugAdapter');
  const port = member(settings, 'port');
  if (typeof port === 'string' && /^\d{1,5}$/.test(port)) Object.assign(Object(settings), { port: Number(port) });
  return configuration;
}

/** Throws Problem bad-value or missing-key if the keys contradict each other or `readyPattern` is of no use. */
export function checkDebugAdapter(settings: NonNullable<LaunchSchema['debugAdapter']>, origin: string): void {
  const { command, host, port, readyPattern } = settings;
  if (command === undefined && port === undefined && (host !== undefined || readyPattern !== undefined)) {
    const missing = host === undefined ? 'command' : 'port';
    throw new Problem({
      code: 'missing-key',
      what: `${origin}: "debugAdapter.${missing}" is missing.`,
      why: `"${host === undefined ? 'readyPattern' : 'host'}" alone does not say which debug adapter is meant.`,
      remedy:
        missing === 'port' ? 'Add for example "port": 4711.' : 'Add the command that starts it, as a list of words.',
    });
  }
  const places = [
    readyPattern !== undefined && '"readyPattern"',
    port !== undefined && '"port"',
    command?.some((word) => word.includes('{port}')) && '"{port}"',
    command?.some((word) => word.includes('{socket}')) && '"{socket}"',
  ].filter((place) => typeof place === 'string');
  if (places.length > 1) {
    throw new Problem({
      code: 'bad-value',
      what: `${origin}: "debugAdapter" has ${places.join(' and ')}.`,
      why: 'Each of them says where the debug adapter listens.',
      remedy: 'Keep one of them.',
    });
  }
  if (readyPattern !== undefined) checkPattern(readyPattern, origin);
}

function checkPattern(readyPattern: string, origin: string): void {
  const bad = (why: string) =>
    new Problem({
      code: 'bad-value',
      what: `${origin}: "debugAdapter.readyPattern" cannot be ${JSON.stringify(readyPattern)}.`,
      why,
      remedy: 'Write for example "readyPattern": "listening on port (?<port>\\\\d+)".',
    });
  let groups: Readonly<Record<string, string>> | undefined;
  try {
    // The empty alternative makes it match, and so tell its groups.
    groups = new RegExp(`${readyPattern}|`).exec('')?.groups;
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
  if (groups === undefined || !('port' in groups)) throw bad('It has no group "port".');
}

function member(container: unknown, key: string): unknown {
  return typeof container === 'object' && container !== null ? Reflect.get(container, key) : undefined;
}
