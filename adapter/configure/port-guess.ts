/** On which port the program may listen on this computer: told by files that start it. A guess for the user to look at. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { z } from 'zod';
import type { ExistingConfiguration, Settings } from './draft.ts';

export interface PortGuess {
  readonly port: number;
  /** Where it stands, for the user. */
  readonly source: string;
}

/** undefined if nothing tells, or several tell different ones. */
export function guessPort(folder: string, existing: readonly ExistingConfiguration[]): PortGuess | undefined {
  const told = existing.flatMap(({ name, settings }) => {
    const port = portOf(settings);
    return port === undefined ? [] : [{ port, source: `"${name}"` }];
  });
  if (told.length > 0) return new Set(told.map(({ port }) => port)).size === 1 ? told[0] : undefined;
  return fromLaunchSettings(folder) ?? fromEnvFile(folder);
}

/** The port that a configuration gives its program. */
export function portOf(settings: Settings): number | undefined {
  const { env, args } = settings;
  const variables: Settings = typeof env === 'object' && env !== null ? { ...env } : {};
  const words = Array.isArray(args) ? args.map(String) : typeof args === 'string' ? args.split(/\s+/) : [];
  return asPort(variables.PORT) ?? portOfUrls(variables.ASPNETCORE_URLS) ?? portOfArguments(words);
}

/** `--port 8000`, `--port=8000`; Django's `runserver 0.0.0.0:8000`. */
function portOfArguments(words: readonly string[]): number | undefined {
  for (const [index, word] of words.entries()) {
    const next = words[index + 1];
    const [, given] = /^--?(?:http-)?port=(\d+)$/.exec(word) ?? [];
    const port =
      given !== undefined
        ? asPort(given)
        : /^--?(?:http-)?port$/.test(word)
          ? asPort(next)
          : word === 'runserver'
            ? asPort(next?.split(':').at(-1))
            : undefined;
    if (port !== undefined) return port;
  }
  return undefined;
}

/** The first of `http://*:5000;https://*:5001` without TLS. */
function portOfUrls(urls: unknown): number | undefined {
  if (typeof urls !== 'string') return undefined;
  const [, port] = /(?:^|;)\s*http:\/\/[^;/]*?:(\d+)/.exec(urls) ?? [];
  return asPort(port);
}

const launchSettingsSchema = z.looseObject({
  profiles: z.record(
    z.string(),
    z.looseObject({ applicationUrl: z.string().optional(), environmentVariables: z.looseObject({}).optional() }),
  ),
});

function fromLaunchSettings(folder: string): PortGuess | undefined {
  const path = join(folder, 'Properties', 'launchSettings.json');
  if (!existsSync(path)) return undefined;
  const parsed = launchSettingsSchema.safeParse(parse(readFileSync(path, 'utf8'), [], { allowTrailingComma: true }));
  for (const { applicationUrl, environmentVariables = {} } of Object.values(parsed.data?.profiles ?? {})) {
    const port = portOfUrls(environmentVariables.ASPNETCORE_URLS) ?? portOfUrls(applicationUrl);
    if (port !== undefined) return { port, source: 'launchSettings.json' };
  }
  return undefined;
}

function fromEnvFile(folder: string): PortGuess | undefined {
  const path = join(folder, '.env');
  if (!existsSync(path)) return undefined;
  const [, value] = /^\s*(?:export\s+)?PORT\s*=\s*["']?(\d+)["']?\s*(?:#.*)?$/m.exec(readFileSync(path, 'utf8')) ?? [];
  const port = asPort(value);
  return port === undefined ? undefined : { port, source: '.env' };
}

/** The number of a port, from a number or its digits. */
export function asPort(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !/^[1-9]\d{0,4}$/.test(text)) return undefined;
  return Number(text) > 65535 ? undefined : Number(text);
}
