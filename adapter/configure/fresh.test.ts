import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProfile } from '../debuggers/registry.ts';
import { freshConfigurations } from './fresh.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fresh-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const here = '$' + '{workspaceFolder}';
const open = '$' + '{file}';

describe.each<[files: Readonly<Record<string, string>>, language: string, settings: object]>([
  [{ 'main.py': '', 'app.py': '' }, 'Python', { type: 'debugpy', program: `${here}/main.py` }],
  [{ 'cart.py': '', 'test_cart.py': '' }, 'Python', { type: 'debugpy', program: `${here}/cart.py` }],
  [{ 'src/main.py': '', 'pyproject.toml': '' }, 'Python', { program: `${here}/src/main.py` }],
  [{ 'a.py': '', 'b.py': '' }, 'Python', { program: open }],
  [{ 'manage.py': '' }, 'Python', { program: `${here}/manage.py`, args: ['runserver', '--noreload'], django: true }],
  [{ 'web.js': '' }, 'Node', { type: 'node', program: `${here}/web.js` }],
  [{ 'package.json': '{"main":"./lib/a.js"}', 'lib/a.js': '' }, 'Node', { program: `${here}/lib/a.js` }],
  [
    { 'package.json': '{"main":"gone.js","scripts":{"start":"node src/b.js"}}', 'src/b.js': '' },
    'Node',
    { program: `${here}/src/b.js` },
  ],
  [
    { 'package.json': '{"scripts":{"start":"next start"}}' },
    'Node',
    { runtimeExecutable: 'npm', runtimeArgs: ['run', 'start'] },
  ],
  [{ 'package.json': '{', 'server.js': '', 'other.js': '' }, 'Node', { program: `${here}/server.js` }],
  [{ 'package.json': '{}' }, 'Node', { program: open }],
  [{ 'go.mod': 'module x', 'x.go': 'package main\n' }, 'Go', { type: 'go', mode: 'auto', program: here }],
  [{ 'go.mod': 'module x', 'cmd/api/x.go': 'package main\n' }, 'Go', { program: `${here}/cmd/api` }],
  [{ 'Cargo.toml': '[package]\nname = "cart"\n' }, 'Rust', { type: 'lldb', program: `${here}/target/debug/cart` }],
  [
    { 'Cargo.toml': '[package]\nname = "cart"\n\n[[bin]]\nname = "api"\n' },
    'Rust',
    { program: `${here}/target/debug/api` },
  ],
  [
    { 'Cart.csproj': '<Project><TargetFramework>net9.0</TargetFramework></Project>' },
    '.NET',
    { type: 'coreclr', program: `${here}/bin/Debug/net9.0/Cart.dll` },
  ],
  [{ Gemfile: '', 'app.rb': '' }, 'Ruby', { type: 'rdbg', script: `${here}/app.rb`, useBundler: true }],
  [{ Gemfile: '', 'bin/rails': '' }, 'Ruby', { script: `${here}/bin/rails`, args: ['server'] }],
  [{ 'pom.xml': '' }, 'Java', { type: 'java', mainClass: open }],
  [
    { 'CMakeLists.txt': 'add_executable(cart main.c)' },
    'C or C++',
    { type: 'lldb-dap', program: `${here}/build/cart` },
  ],
])('%j', (files, language, settings) => {
  test(`is ${language}`, () => {
    write(files);
    const found = freshConfigurations(folder);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ language, settings: { request: 'launch', ...settings } });
    expect(() => findProfile(String(found[0]?.settings.type))).not.toThrow();
  });
});

test('of several languages all are offered', () => {
  write({ 'go.mod': '', 'main.go': 'package main', 'package.json': '{}', 'index.js': '' });
  expect(freshConfigurations(folder).map(({ language }) => language)).toEqual(['Go', 'Node']);
});

test('the file that is open says which language comes first, the project what is started', () => {
  write({ 'go.mod': '', 'main.go': 'package main', 'main.py': '', 'tools/x.py': '' });
  const found = freshConfigurations(folder, join(folder, 'tools', 'x.py'));
  expect(found.map(({ language, starts }) => `${language}: ${starts}`)).toEqual([
    'Python: main.py',
    'Go: the package of this folder',
  ]);
});

test('where nothing else is there, the file that is open is started', () => {
  expect(freshConfigurations(folder, join(folder, 'deep', 'x.py'))[0]?.settings.program).toBe(`${here}/deep/x.py`);
  expect(freshConfigurations(folder, '/elsewhere/x.rb')[0]?.settings.script).toBe(open);
  expect(freshConfigurations(folder, '/elsewhere/README')).toHaveLength(6);
});

test('what an editor cannot say is not offered', () => {
  write({ 'a.py': '', 'b.py': '', 'index.js': '' });
  const found = freshConfigurations(folder, undefined, (settings) => !JSON.stringify(settings).includes(open));
  expect(found.map(({ language }) => language)).toEqual(['Node']);
});

test('a folder that is not there has nothing', () => {
  expect(freshConfigurations(join(folder, 'gone'))).toHaveLength(6);
});
