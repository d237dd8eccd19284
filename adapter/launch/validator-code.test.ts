import type { ErrorObject } from 'ajv';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { validate } from './validator.ts';
import { compiledValidator } from './validator-code.ts';

let compiled: typeof validate;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [new URL('./validator.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    plugins: [compiledValidator],
  });
  const code = outputFiles[0]?.text ?? '';
  expect(code).not.toContain('class Ajv');
  ({ validate: compiled } = await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`));
});

const outcome = (check: typeof validate, value: unknown) => {
  const candidate = structuredClone(value);
  const isValid = check(candidate);
  const told = (check.errors ?? []).map(
    ({ instancePath, keyword, params, message, data, parentSchema }: ErrorObject) => ({
      instancePath,
      keyword,
      params,
      message,
      data,
      parentSchema,
    }),
  );
  return { isValid, candidate, told };
};

const delegate = { type: 'debugpy', program: 'main.py' };

describe('the validator of a bundle says what the one here says', () => {
  test.each<[string, unknown]>([
    ['a usual one, with its defaults', { target: 'service/cart', delegate }],
    ['ports and volumes', { target: 'cart', delegate, ports: { '8080': 5000 }, volumes: { copy: 'always' } }],
    ['a wrong port', { target: 'cart', delegate, ports: { '8080': 'x', nonsense_name: 1 } }],
    ['no target', { delegate }],
    ['an empty target', { target: '', delegate }],
    ['an unknown value', { target: 'cart', delegate, network: 'magic', elevate: 3 }],
    ['an unknown key', { target: 'cart', delegate, environment: { nothing: true } }],
    ['no object', 'cart'],
    ['nothing', {}],
  ])('%s', (_name, value) => {
    expect(outcome(compiled, value)).toEqual(outcome(validate, value));
  });
});
