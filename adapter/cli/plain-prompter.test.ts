import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { PlainPrompter, wantsPlainLines } from './plain-prompter.ts';

const never = new AbortController().signal;
const choices = [
  { label: 'cart', description: 'port 80', value: 'c' },
  { label: 'web', value: 'w' },
];

/** Somebody who types these lines, each when something is asked. */
function typing(...lines: readonly string[]) {
  const input = new PassThrough();
  const output = new PassThrough();
  const rest = [...lines];
  const shown = text(output.pipe(new PassThrough()));
  output.on('data', (chunk: Buffer) => {
    if (!/[:?] $/.test(String(chunk))) return;
    const next = rest.shift();
    setImmediate(() => (next === undefined ? input.end() : input.write(`${next}\n`)));
  });
  const close = async () => {
    output.end();
    return await shown;
  };
  return { prompter: new PlainPrompter({ input, output }), close };
}

test('a choice is a list with numbers', async () => {
  const { prompter, close } = typing('3', 'x', '2');
  expect(await prompter.choose({ title: 'Which?', choices }, never)).toBe('w');
  expect(await close()).toBe(
    'Which?\n  1  cart (port 80)\n  2  web\nYour choice, a number [1]: Please type a number from 1 to 2.\n' +
      'Your choice, a number [1]: Please type a number from 1 to 2.\nYour choice, a number [1]: ',
  );
});

test.each([
  [undefined, 'c'],
  ['w', 'w'],
])('Enter takes the first, or the one that is named: %s', async (initial, expected) => {
  const { prompter } = typing('');
  const question = { title: 'Which?', choices, ...(initial !== undefined && { initial }) };
  expect(await prompter.choose(question, never)).toBe(expected);
});

test('a text is asked for until it is right', async () => {
  const { prompter, close } = typing('0', '');
  const check = (value: string) => (value === '0' ? 'Not that.' : undefined);
  expect(await prompter.enter({ title: 'Port?', initial: '80', check }, never)).toBe('80');
  expect(await close()).toBe('Port? [80]: Not that.\nPort? [80]: ');
});

test('the end of the input is Problem cancelled', async () => {
  const { prompter } = typing();
  await expect(prompter.choose({ title: 'Which?', choices }, never)).rejects.toMatchObject({ code: 'cancelled' });
});

test.each([
  [{}, false],
  [{ ACCESSIBLE: '1' }, true],
  [{ ACCESSIBLE: 'false' }, false],
  [{ TERM: 'dumb' }, true],
  [{ TERM: 'xterm' }, false],
])('%j wants plain lines: %s', (environment, plain) => {
  expect(wantsPlainLines(environment)).toBe(plain);
});
