import { describe, expect, test } from 'vitest';
import { Redactor } from '../../diagnostics/redactor.ts';
import { isRaw, type Raw } from '../message.ts';
import { parseLossless } from '../wire/json.ts';
import { UnreadBody } from '../wire/verbatim.ts';
import { TraceContent, variableNames } from './content.ts';

const secret = 'hunter2-and-more';

function content() {
  const redactor = new Redactor();
  const one = new TraceContent(redactor);
  return { redactor, text: (message: Raw) => JSON.stringify(one.of(message)) };
}

function launch(args: Raw): Raw {
  return { seq: 1, type: 'request', command: 'launch', arguments: args };
}

function output(text: string): Raw {
  return { seq: 2, type: 'event', event: 'output', body: { output: text } };
}

describe('environment variables', () => {
  test.each([
    ['an object', { env: { A: '1', GONE: null } }, '{"env":{"A":"…","GONE":null}}'],
    ['a list', { env: ['A=1=2', 'B'] }, '{"env":["A=…","B"]}'],
    ['names and values', { environment: [{ name: 'A', value: '1' }] }, '{"environment":[{"name":"A","value":"…"}]}'],
    ['a text', { environment: 'A=1;B=2' }, '{"environment":"…"}'],
    ['a key in other letters', { environmentVariables: { A: '1' } }, '{"environmentVariables":{"A":"…"}}'],
    ['deep inside', { delegate: { env: { A: '1' } } }, '{"delegate":{"env":{"A":"…"}}}'],
    [
      'a key of the user',
      { debugAdapter: { environmentKey: 'vars' }, delegate: { vars: { A: '1' } } },
      '{"debugAdapter":{"environmentKey":"vars"},"delegate":{"vars":{"A":"…"}}}',
    ],
    ['no variables at all', { debugAdapter: { environment: 'list' } }, '{"debugAdapter":{"environment":"list"}}'],
  ])('lose their values in %s', (_name, args, shown) => {
    expect(content().text(launch(args))).toBe(`{"seq":1,"type":"request","command":"launch","arguments":${shown}}`);
  });

  test('lose their values on the command line of a terminal', () => {
    const args = { args: ['env', 'A=1', 'program', '--x=2'], env: { B: '3' } };
    expect(content().text({ type: 'request', command: 'runInTerminal', arguments: args })).toBe(
      '{"type":"request","command":"runInTerminal","arguments":{"args":["env","A=…","program","--x=2"],"env":{"B":"…"}}}',
    );
  });

  test.each([
    [{ env: { API_TOKEN: secret } }],
    [{ env: [`DB_PASSWORD=${secret}`] }],
    [{ delegate: { environment: [{ name: 'clientSecret', value: secret }] } }],
  ])('with the name of a secret are masked wherever they appear from then on: %j', (args) => {
    const { text } = content();
    expect(text(launch(args))).not.toContain(secret);
    expect(text(output(`logged in with ${secret}!`))).toContain('"logged in with «redacted»!"');
    expect(text(output(Buffer.from(secret).toString('base64')))).not.toContain(Buffer.from(secret).toString('base64'));
  });

  test('with another name are not: the program may print what it likes', () => {
    const { text } = content();
    text(launch({ env: { COLOR: 'bright-red' } }));
    expect(text(output('bright-red'))).toContain('bright-red');
  });

  test('are named as a program gets them', () => {
    expect(variableNames({ env: { A: '1', B: null }, vars: ['C=1'] }, 'vars')).toEqual(['A', 'C']);
    expect(variableNames({ environment: [{ name: 'D', value: 'x' }] }, undefined)).toEqual(['D']);
  });
});

describe('secrets of the pod', () => {
  test('are masked in names, texts and numbers', () => {
    const { redactor, text } = content();
    redactor.add('1234567');
    const shown = text({ type: 'event', event: 'x', body: { '1234567': 1_234_567, list: ['a 1234567 b', 7] } });
    expect(shown).toBe('{"type":"event","event":"x","body":{"«redacted»":"…","list":["a «redacted» b",7]}}');
  });

  test('are masked in integers that no double holds', () => {
    const { redactor, text } = content();
    redactor.add('90071992547409931234');
    const message = parseLossless('{"type":"event","body":{"a":90071992547409931234,"b":90071992547409935678}}');
    expect(isRaw(message) && text(message)).toBe('{"type":"event","body":{"a":"…","b":90071992547409935678}}');
  });

  test('do not change the words of the protocol', () => {
    const { redactor, text } = content();
    redactor.add('launch');
    redactor.add('request');
    expect(text(launch({ a: 'launch' }))).toBe(
      '{"seq":1,"type":"request","command":"launch","arguments":{"a":"«redacted»"}}',
    );
  });

  test('are not cut in two with the text that they stand in', () => {
    const { redactor, text } = content();
    redactor.add(secret);
    for (const before of [19_990, 20_000]) {
      const shown = text(output('x'.repeat(before) + secret + 'y'.repeat(50_000)));
      expect(shown).not.toContain(secret.slice(0, 5));
    }
    const shown = text(output('x'.repeat(262_140) + secret.repeat(2)));
    expect(shown).not.toContain(secret.slice(0, 4));
  });
});

test('tokens of child sessions are masked, with all else of their tickets kept', () => {
  const ticket = { endpoint: '/run/dap.sock', token: 'a-token' };
  expect(content().text(launch({ __kubernetesLocal: ticket }))).toContain(
    '"__kubernetesLocal":{"endpoint":"/run/dap.sock","token":"…"}',
  );
});

describe('what is long', () => {
  test('is cut, and says so: a text', () => {
    const { text } = content();
    expect(text(output('x'.repeat(20_000))).length).toBe(text(output('')).length + 20_000);
    const shown = text(output('x'.repeat(20_001)));
    expect(shown.slice(-40)).toMatch(/x«20001 characters in all»"\}\}$/);
    expect(shown.match(/x+«/)?.[0]).toHaveLength(20_001);
  });

  test('is cut, and says so: a list, an object', () => {
    const body = { list: Array.from({ length: 30 }, () => 'x'.repeat(10_000)), behind: 1, it: 2 };
    const shown = content().text({ type: 'response', body });
    expect(shown.length).toBeLessThan(220_000);
    expect(shown.slice(-50)).toMatch(/x","«10 more»"\],"«more»":2\}\}$/);
  });

  test('is cut, and says so: what is nested without end', () => {
    let deep: unknown = 'bottom';
    for (let level = 0; level < 200; level++) deep = [deep];
    const shown = content().text({ type: 'event', body: deep });
    expect(shown).toContain('«nested too deep»');
    expect(shown).not.toContain('bottom');
  });

  test('bytes are counted', () => {
    expect(content().text({ type: 'event', body: new Uint8Array(7) })).toContain('"«7 bytes»"');
  });
});

test('the same message gives the same result', () => {
  const { text } = content();
  const message = launch({ env: { API_TOKEN: secret }, program: secret });
  expect(text(message)).toBe(text(message));
});

test('names that mean something to JavaScript are names like others', () => {
  const message = parseLossless('{"type":"event","__proto__":{"a":1},"body":{"__proto__":2,"constructor":3}}');
  expect(isRaw(message) && content().text(message)).toBe(
    '{"type":"event","__proto__":{"a":1},"body":{"__proto__":2,"constructor":3}}',
  );
});

test('a body that nobody has read is masked as any other', () => {
  const { redactor, text } = content();
  redactor.add(secret);
  const body = new UnreadBody(Buffer.from(JSON.stringify({ output: `it is ${secret}` })));
  const traced = text({ seq: 2, type: 'event', event: 'output', body });
  expect(traced).toContain('it is ');
  expect(traced).not.toContain(secret);
});
