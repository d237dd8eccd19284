/** What users copy must be valid as it stands, and with each of its commented lines switched on. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseLaunchConfiguration } from './configuration.ts';

const template = (path: string) => readFileSync(new URL(`../../launch-templates/${path}`, import.meta.url), 'utf8');

/** Text without the comments that begin with `mark` and end with the line; strings are left alone. */
function withoutComments(text: string, mark: string): string {
  return text.replace(new RegExp(`"(?:[^"\\\\\\n]|\\\\.)*"|${mark}.*`, 'g'), (found) =>
    found.startsWith('"') ? found : '',
  );
}

/** The lines that are keys in comments (`// "namespace": …,`, `-- namespace = …,`) made keys. */
function switchedOn(text: string, mark: string): string {
  return text.replace(new RegExp(`^(\\s*)${mark} (?=["a-z]+(?:": | = ))`, 'gm'), '$1');
}

/** The value of a Lua list of tables that hold strings, numbers, booleans and tables with keys. */
function readLuaTable(text: string): unknown {
  const json = withoutComments(text, '--')
    .replace(
      /\["([^"]*)"\] = |([A-Za-z_]\w*) = |"(?:[^"\\]|\\.)*"|,(?=\s*\})/g,
      (found, quoted: string | undefined, bare: string | undefined) => {
        const key = quoted ?? bare;
        if (key !== undefined) return `${JSON.stringify(key)}: `;
        return found === ',' ? '' : found;
      },
    )
    .trim();
  return JSON.parse(`[${json.slice(1, -1)}]`);
}

test('comments are removed, strings stay', () => {
  expect(withoutComments('{ "a": "http://x", // y\n// "b"\n"c": "\\"//" }', '//')).toBe(
    '{ "a": "http://x", \n\n"c": "\\"//" }',
  );
});

test('commented keys are switched on, prose is not', () => {
  expect(switchedOn('// prose: no\n  // "a": 1, // why\n  -- b = 2\n', '//')).toBe(
    '// prose: no\n  "a": 1, // why\n  -- b = 2\n',
  );
});

test('Lua tables are read', () => {
  expect(readLuaTable('{\n  { a = "x = y", b = { ["80"] = 1, }, }, -- c\n}')).toEqual([{ a: 'x = y', b: { '80': 1 } }]);
});

const launchJson = z.strictObject({ version: z.literal('0.2.0'), configurations: z.array(z.unknown()).min(1) });

const readers: Readonly<Record<string, { mark: string; read(text: string): unknown[] }>> = {
  'vscode/launch.json': {
    mark: '//',
    read: (text) => launchJson.parse(JSON.parse(withoutComments(text, '//'))).configurations,
  },
  'neovim/kubernetes-local.lua': {
    mark: '--',
    read: (text) => {
      const [, table = ''] = /^local configurations = (\{[\s\S]*?^\})/m.exec(text) ?? [];
      return z.array(z.unknown()).min(1).parse(readLuaTable(table));
    },
  },
};

describe.each(Object.entries(readers))('%s', (path, { mark, read }) => {
  test('is valid', () => {
    for (const configuration of read(template(path))) {
      expect(parseLaunchConfiguration(configuration, path)).toMatchObject({
        type: 'kubernetes-local',
        target: 'service/cart',
        delegate: { type: 'debugpy', program: expect.stringContaining('/main.py') },
      });
    }
  });

  test('is valid with its commented keys', () => {
    const configurations = read(switchedOn(template(path), mark));
    expect(configurations).toHaveLength(1);
    expect(parseLaunchConfiguration(configurations[0], path)).toMatchObject({
      namespace: 'shop',
      context: 'dev',
      container: 'cart',
      ports: { '8080': 5000 },
    });
  });

  test('marks the lines to change', () => {
    const marked = template(path)
      .split('\n')
      .filter((line) => line.includes(`${mark} <- change`));
    expect(marked.length).toBeGreaterThanOrEqual(3);
    expect(marked.some((line) => line.includes('target'))).toBe(true);
  });
});
