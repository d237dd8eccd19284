import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { PortQuestion } from '../network/ports/resolve-conflict.ts';
import { askConsent } from './consent.ts';
import { choose } from './terminal-choice.ts';
import type { Terminal } from './terminal-question.ts';

const { signal } = new AbortController();
const question: PortQuestion = {
  text: 'Port 8080 is in use by node (pid 7, user anna).',
  choices: [
    { answer: 'other-port', text: 'Use port 18080 instead.' },
    { answer: 'stop', text: 'Stop node (pid 7, user anna).' },
    { answer: 'cancel', text: 'Cancel.' },
  ],
};

/** A terminal at which these lines are typed; `null` ends the input. */
function typing(...lines: (string | null)[]): Terminal & { shown(): string } {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(new PassThrough(), { isTTY: true });
  let shown = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    // Typed only when asked for.
    if (!/[\]:] $/.test(text) || lines.length === 0) return;
    const line = lines.shift();
    if (line === null) input.end();
    else input.write(`${line}\n`);
  });
  return { input, output, shown: () => shown };
}

describe('choose', () => {
  it.each([
    ['1', 'other-port'],
    [' 2 ', 'stop'],
    ['3', 'cancel'],
    ['', 'cancel'],
    [null, 'cancel'],
  ])('%j is %s', async (line, answer) => {
    const terminal = typing(line);
    expect(await choose(question, signal, terminal)).toBe(answer);
    expect(terminal.shown()).toContain('  2  Stop node (pid 7, user anna).\n  3  Cancel.\nYour choice [3]: ');
  });

  it('asks again until it understands', async () => {
    const terminal = typing('y', '0', '4', '-1', 'stop', '2');
    expect(await choose(question, signal, terminal)).toBe('stop');
    expect(terminal.shown().match(/Please type a number from 1 to 3/g)).toHaveLength(5);
  });

  it('asks nobody where nobody is', async () => {
    const { input, output, shown } = typing('2');
    expect(await choose(question, signal, { input: new PassThrough(), output })).toBe('impossible');
    expect(await choose(question, signal, { input, output: new PassThrough() })).toBe('impossible');
    expect(shown()).toBe('');
  });

  it('ends with the session', async () => {
    const ended = new AbortController();
    const asked = choose(question, ended.signal, typing());
    ended.abort(new Error('ended by the user'));
    await expect(asked).rejects.toThrow('ended by the user');
    await expect(choose(question, ended.signal, typing('2'))).rejects.toThrow('ended by the user');
  });
});

describe('askConsent', () => {
  it.each([
    ['y', 'granted'],
    ['YES', 'granted'],
    ['', 'refused'],
    ['n', 'refused'],
    ['yeah', 'refused'],
    [null, 'refused'],
  ])('%j is %s', async (line, consent) => {
    const terminal = typing(line);
    expect(await askConsent('It will write to /etc/hosts.', signal, terminal)).toBe(consent);
    expect(terminal.shown()).toContain('It will write to /etc/hosts.\nDo you agree? [y/N] ');
  });

  it('is impossible without a terminal', async () => {
    const terminal = typing('y');
    expect(await askConsent('x', signal, { ...terminal, input: new PassThrough() })).toBe('impossible');
    expect(terminal.shown()).toBe('');
  });
});
