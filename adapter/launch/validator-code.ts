/** The validator as code, for bundles: to compile the schema takes longer than anything else at the start of a command. */
import { dirname } from 'node:path';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import type { Plugin } from 'esbuild';
import schema from './launch.schema.json' with { type: 'json' };
import { validatorOptions } from './validator.ts';

export const compiledValidator: Plugin = {
  name: 'compiled-validator',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]launch[/\\]validator\.ts$/ }, ({ path }) => {
      const ajv = new Ajv({ ...validatorOptions, code: { source: true, esm: true } });
      // What it calls is found where ajv is.
      return { contents: standalone.default(ajv, ajv.compile(schema)), resolveDir: dirname(path) };
    });
  },
};
