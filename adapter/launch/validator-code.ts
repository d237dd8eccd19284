/** The validator as code, for bundles: to compile the schema takes longer than anything else at the start of a command. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import type { Plugin } from 'esbuild';
import { validatorOptions } from './validator.ts';

const schemaFile = new URL('./launch.schema.json', import.meta.url);

export const compiledValidator: Plugin = {
  name: 'compiled-validator',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]launch[/\\]validator\.ts$/ }, ({ path }) => {
      const ajv = new Ajv({ ...validatorOptions, code: { source: true, esm: true } });
      const validate = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')));
      // What it calls is found where ajv is.
      return { contents: standalone.default(ajv, validate), resolveDir: dirname(path) };
    });
  },
};
