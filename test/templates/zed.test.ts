/** The extension for Zed, as far as it can be checked without Zed: extension.toml, Cargo.toml, lib.rs and the schema. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { z } from 'zod';
import ourSchema from '../../adapter/launch/launch.schema.json' with { type: 'json' };
import { readJson, readToml } from './formats.ts';
import { templates } from './launches.ts';

const folder = join(import.meta.dirname, '..', '..', 'launch-templates', 'zed');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');

const manifest = z
  .object({
    id: z.string(),
    name: z.string(),
    version: z.string(),
    schema_version: z.literal(1),
    authors: z.array(z.string()),
    debug_adapters: z.record(z.string(), z.strictObject({ schema_path: z.string() })),
  })
  .parse(readToml(read('extension/extension.toml')));
const [adapter = ''] = Object.keys(manifest.debug_adapters);
const path = manifest.debug_adapters[adapter]?.schema_path ?? '';
const schema = z.record(z.string(), z.unknown()).parse(readJson(read(`extension/${path}`)));

test('the manifest names the debug adapter of debug.json', () => {
  expect(adapter).toBe('kubernetes-local');
  expect(readJson(JSON.stringify(schema))).toMatchObject({ required: ['target', 'delegate'] });
});

test('the crate is one for the web assembly of Zed', () => {
  expect(readToml(read('extension/Cargo.toml'))).toMatchObject({
    lib: { 'crate-type': ['cdylib'] },
    dependencies: { zed_extension_api: expect.stringMatching(/^0\.7/) },
  });
  const code = read('extension/src/lib.rs');
  for (const method of ['get_dap_binary', 'dap_request_kind', 'dap_config_to_scenario', 'register_extension!']) {
    expect(code).toContain(method);
  }
});

test('the schema takes the configurations of debug.json, and has no keys but ours', () => {
  const validate = new Ajv({ strict: false }).compile(schema);
  const launches = templates['zed/debug.json']?.launches(read('debug.json')) ?? [];
  expect(launches.length).toBeGreaterThan(1);
  for (const { configuration } of launches) expect(validate(configuration)).toBe(true);
  expect(validate({ target: 'service/cart' })).toBe(false);
  const keys = Object.keys(z.record(z.string(), z.unknown()).parse(schema.properties));
  expect(keys.filter((key) => !(key in ourSchema.properties))).toEqual([]);
});
