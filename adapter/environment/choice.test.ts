import { describe, expect, test } from 'vitest';
import { chooseVariables, layerVariables } from './choice.ts';

const variable = (name: string, value = 'x', origin = 'container cart') => ({ name, value, origin, secret: false });
const all = ['DB_HOST', 'DB_PASSWORD', 'db_lower', 'GREETING', 'my.dotted+name'].map((name) => variable(name));
const chosen = (choice: Parameters<typeof chooseVariables>[1], platform: NodeJS.Platform = 'linux') =>
  chooseVariables(all, choice, platform).map(({ name }) => name);

describe('include and exclude', () => {
  test('everything, if nothing is chosen', () => {
    expect(chosen({})).toEqual(all.map(({ name }) => name));
  });

  test.each([
    [{ include: ['DB_*'] }, ['DB_HOST', 'DB_PASSWORD']],
    [{ include: ['DB_*', 'GREETING'], exclude: ['*PASSWORD'] }, ['DB_HOST', 'GREETING']],
    [{ include: ['*'], exclude: ['*_*'] }, ['GREETING', 'my.dotted+name']],
    [{ include: [] }, []],
    [{ exclude: ['*'] }, []],
    [{ include: ['my.dotted+name'] }, ['my.dotted+name']],
    [{ include: ['my?dotted*', 'DB.HOST', 'GREET'] }, []],
    [{ include: ['*E*T*G'] }, ['GREETING']],
  ])('%j', (choice, names) => {
    expect(chosen(choice)).toEqual(names);
  });

  test('case counts, but on Windows', () => {
    expect(chosen({ include: ['db_*'] })).toEqual(['db_lower']);
    expect(chosen({ include: ['db_*'] }, 'win32')).toEqual(['DB_HOST', 'DB_PASSWORD', 'db_lower']);
  });
});

describe('layers', () => {
  test('the later ones and the override win, and null leaves out', () => {
    const layers = layerVariables(
      [
        [variable('A', 'pod'), variable('B', 'pod'), variable('C', 'pod'), variable('D', 'pod')],
        [variable('B', 'file', 'envFile .env'), variable('E', 'file', 'envFile .env')],
      ],
      { C: 'by hand', D: null, F: '', G: null },
      'linux',
    );
    expect(layers).toEqual([
      variable('A', 'pod'),
      variable('B', 'file', 'envFile .env'),
      variable('C', 'by hand', 'override'),
      variable('E', 'file', 'envFile .env'),
      variable('F', '', 'override'),
    ]);
  });

  test('on Windows, Path and PATH are one variable, under its last name', () => {
    const lists = [[variable('Path', '1'), variable('b', '1')], [variable('PATH', '2')]];
    expect(layerVariables(lists, { B: null }, 'win32')).toEqual([variable('PATH', '2')]);
    expect(layerVariables(lists, { B: null }, 'linux')).toHaveLength(3);
  });
});
