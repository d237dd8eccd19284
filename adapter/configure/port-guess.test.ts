import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asPort, guessPort, portOf } from './port-guess.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'port-guess-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  [{ env: { PORT: '5000' } }, 5000],
  [{ env: { PORT: 5000 } }, 5000],
  [{ env: { ASPNETCORE_URLS: 'https://+:5001;http://+:5000' } }, 5000],
  [{ module: 'uvicorn', args: ['main:app', '--port', '8000'] }, 8000],
  [{ args: ['--port=8000'] }, 8000],
  [{ args: ['-http-port', '8000'] }, 8000],
  [{ args: 'serve --port 8000 --reload' }, 8000],
  [{ args: ['runserver', '0.0.0.0:8001', '--noreload'] }, 8001],
  [{ args: ['runserver', '8001'] }, 8001],
  [{ env: { PORT: '5000' }, args: ['--port', '8000'] }, 5000],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of VS Code
  [{ env: { PORT: '${env:PORT}' }, args: ['--port'] }, undefined],
  [{ env: { PORT: '70000' } }, undefined],
  [{ args: ['--report', '8000', '8080'] }, undefined],
  [{ args: ['runserver', '--noreload'] }, undefined],
  [{}, undefined],
])('%j says %s', (settings, port) => {
  expect(portOf(settings)).toBe(port);
});

const configuration = (name: string, port: number) => ({
  name,
  settings: { type: 'node', env: { PORT: String(port) } },
});

test('launch configurations that agree say it; those that do not say nothing, whatever else does', () => {
  writeFileSync(join(folder, '.env'), 'PORT=1234');
  expect(guessPort(folder, [configuration('a', 5000), configuration('b', 5000)])).toEqual({
    port: 5000,
    source: '"a"',
  });
  expect(guessPort(folder, [configuration('a', 5000), configuration('b', 5001)])).toBeUndefined();
});

test.each([
  ['PORT=5000', 5000],
  ['# PORT=1\nexport PORT = "5000" # here\n', 5000],
  ['REPORT=5000', undefined],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of a shell
  ['PORT=${OTHER}', undefined],
])('.env with %j says %s', (text, port) => {
  writeFileSync(join(folder, '.env'), text);
  expect(guessPort(folder, [])).toEqual(port === undefined ? undefined : { port, source: '.env' });
});

test('launchSettings.json says the port without TLS', () => {
  mkdirSync(join(folder, 'Properties'));
  const path = join(folder, 'Properties', 'launchSettings.json');
  writeFileSync(
    path,
    '\uFEFF{ "profiles": { "IIS Express": { "commandName": "IISExpress" }, /* this */ "Cart": { "applicationUrl": "https://localhost:7001;http://localhost:5105" } } }',
  );
  expect(guessPort(folder, [])).toEqual({ port: 5105, source: 'launchSettings.json' });
  writeFileSync(path, '[]');
  expect(guessPort(folder, [])).toBeUndefined();
});

test.each(['1', '65535', 80])('%s is a port', (text) => {
  expect(asPort(text)).toBe(Number(text));
});

test.each(['', '0', '080', '65536', '-1', '1.5', '1e3', ' 80', undefined, null, Number.NaN])('%s is none', (text) => {
  expect(asPort(text)).toBeUndefined();
});
