/**
 * Writes launch.schema.d.ts from launch.schema.json, the single source. Run it after each change: `node adapter/launch/generate.ts`.
 * The types hold only what the program reads: keys that are the IDE's own business are left out.
 */
import { writeFile } from 'node:fs/promises';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import schema from './launch.schema.json' with { type: 'json' };

/** Where the types are kept. */
export const typesFile = new URL('./launch.schema.d.ts', import.meta.url);

/** The text of launch.schema.d.ts for the schema as it is now. */
export async function generateTypes(): Promise<string> {
  const { patternProperties: _ofTheIde, properties, ...rest } = schema;
  const own = Object.fromEntries(Object.entries(properties).filter(([, property]) => !('doNotSuggest' in property)));
  const { patternProperties: portValues, ...ports } = properties.ports;
  const [portValue] = Object.values(portValues);
  const readable = { ...rest, properties: { ...own, ports: { ...ports, additionalProperties: portValue } } };
  // A title would become a named type of its own for each string.
  const untitled: JSONSchema = JSON.parse(
    JSON.stringify(readable, (key, value: unknown) =>
      key === 'title' && typeof value === 'string' ? undefined : value,
    ),
  );
  return await compile(untitled, 'LaunchSchema', {
    bannerComment:
      '/* Written by generate.ts from launch.schema.json: change that file, then run `node adapter/launch/generate.ts`. */',
    style: { singleQuote: true, printWidth: 120 },
  });
}

if (import.meta.main) await writeFile(typesFile, await generateTypes());
