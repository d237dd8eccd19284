import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { shellLine } from './shell-words.ts';

const run = promisify(execFile);

/** What sudo-prompt makes of it on Linux: two shells, and nothing but double quotes quoted. */
async function readByTwoShells(line: string): Promise<string> {
  const outer = `cd "/"; /bin/bash -c "${line.replace(/"/g, '\\"')}"`;
  const { stdout } = await run('/bin/sh', ['-c', outer]);
  return stdout;
}

describe('a command line', () => {
  it.each([
    '/usr/bin/node',
    '/home/jo doe/my tools/kubernetes-local.js',
    '/Users/Jürgen/日本/x',
    '/a/b+c@1.2,3=4:5_6-7',
    '-x',
  ])('%s reaches the program through both shells as it is', async (word) => {
    const line = shellLine(['/bin/echo', 'it is', word], 'linux', []);
    expect(await readByTwoShells(line)).toBe(`it is ${word}\n`);
  });

  it.each([
    '/tmp/$(touch x)/node',
    '/tmp/`x`/node',
    '/tmp/a"b',
    "/tmp/a'b",
    '/tmp/a\\b',
    '/tmp/a\nb',
    '/tmp/a;b',
    '/tmp/a!b',
    '/tmp/a&b',
    '/tmp/a|b',
    '/tmp/a*b',
    '/tmp/a\u0000b',
    '/tmp/a\u202eb',
    '',
  ])('with %j in it is refused, and the user told which', (word) => {
    expect(() => shellLine(['/usr/bin/node', word], 'linux', [])).toThrow(/could misread/);
    expect(() => shellLine(['/usr/bin/node'], 'linux', [word])).toThrow(/could misread/);
  });

  it.each(['C:\\Program Files (x86)\\node.exe', 'C:\\Users\\Jürgen\\n.exe'])('on Windows takes %s', (word) => {
    expect(shellLine([word], 'win32', [])).toBe(`"${word}"`);
  });

  it.each(['C:\\%PATH%\\n', 'C:\\a^b', 'C:\\a&b', 'C:\\a!b', 'C:\\a"b'])('on Windows refuses %s', (word) => {
    expect(() => shellLine([word], 'win32', [])).toThrow(/could misread/);
  });
});
