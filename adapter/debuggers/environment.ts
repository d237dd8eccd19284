/** Environment variables in launch arguments. What the user writes there wins over what comes from the pod. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { Problem } from '../problem.ts';
import type { DelegateArguments } from './profile.ts';

type Environment = Readonly<Record<string, string>>;

/** `{ NAME: VALUE }` under `key`, with the user's on top. A value of theirs may be null, which unsets the variable. */
export function environmentObject(args: DelegateArguments, environment: Environment, key = 'env') {
  const own = args[key];
  return { ...environment, ...(isObject(own) ? own : {}) };
}

/** The same for debug adapters that refuse null: then a variable is not set, but the computer's own stays. */
export function environmentWithoutNull(args: DelegateArguments, environment: Environment, key = 'env') {
  const all = Object.entries(environmentObject(args, environment, key));
  return Object.fromEntries(all.filter(([, value]) => value !== null));
}

/** `["NAME=VALUE"]` under `key`, with the user's at the end; theirs may be an object, where null removes a variable. */
export function environmentList(args: DelegateArguments, environment: Environment, key = 'env'): readonly string[] {
  const own = args[key];
  const entries = Array.isArray(own) ? own.map(String) : isObject(own) ? entriesOf(own) : [];
  const names = new Set(isObject(own) ? Object.keys(own) : entries.map((entry) => entry.split('=', 1)[0]));
  return [...entriesOf(environment).filter((entry) => !names.has(entry.split('=', 1)[0])), ...entries];
}

/**
 * The pod's variables with those of the user's `envFile` (a path, or several) on top: IDEs or debug adapters read it as
 * weaker than `env`, but it is the user's own. Throws Problem bad-value if one cannot be read.
 */
export function withEnvironmentFiles(args: DelegateArguments, environment: Environment): Environment {
  const named: readonly unknown[] = Array.isArray(args.envFile) ? args.envFile : [args.envFile];
  const files = named.filter((file) => typeof file === 'string' && file !== '').map(String);
  const folder = typeof args.cwd === 'string' ? args.cwd : '';
  return Object.assign({}, environment, ...files.map((file) => read(resolve(folder, file))));
}

function read(file: string): Environment {
  try {
    const variables = parseEnv(readFileSync(file, 'utf8'));
    return Object.fromEntries(
      Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
  } catch (error) {
    throw new Problem({
      code: 'bad-value',
      what: `"envFile" of the delegate, ${file}, cannot be read.`,
      why: error instanceof Error ? error.message : String(error),
      remedy: 'Name an existing file of lines NAME=VALUE, or leave it out.',
    });
  }
}

function entriesOf(environment: object): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
