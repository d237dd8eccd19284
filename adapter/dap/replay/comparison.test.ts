import { expect, test } from 'vitest';
import { isRaw, type Raw } from '../message.ts';
import { parseLossless } from '../wire/json.ts';
import { difference } from './comparison.ts';

const long = 'x'.repeat(30);
const terminal = (folder: string, node: string, program: string): Raw => ({
  command: 'runInTerminal',
  arguments: { args: [node, '--flag', `${folder}/launch.mjs`, program], env: {} },
});
const died = (format: string, id = 6003): Raw => ({ message: 'delegate-died', body: { error: { id, format } } });

test.each<[string, Raw, Raw]>([
  ['sequence numbers', { seq: 1, a: 1 }, { seq: 2, a: 1 }],
  ['the order of keys', { a: 1, b: 2 }, { b: 2, a: 1 }],
  ['masked values', { env: { A: '…', B: null } }, { env: { A: 'secret', B: null } }],
  ['masked secrets in a text', { a: 'x «redacted» y «redacted»' }, { a: 'x one y two' }],
  ['a text that was cut', { a: `${long}«99 characters in all»` }, { a: `${long}more` }],
  ['a text that was cut twice', { a: `${long}«99 characters in all»` }, { a: `${long}«55 characters in all»` }],
  ['a list that was cut', { a: [1, 2, '«7 more»'] }, { a: [1, 2, 3, 4] }],
  ['an object that was cut', { a: { b: 1, '«more»': 3 } }, { a: { b: 1, c: 2 } }],
  [
    'folders of our own',
    { endpoint: '/tmp/kubernetes-local-aB3/dap.sock' },
    { endpoint: '/var/tmp/kubernetes-local-Xy_/dap.sock' },
  ],
  [
    'how Node runs the launcher of a terminal',
    terminal('/tmp/kubernetes-local-a', '/usr/bin/node', 'program'),
    terminal('/tmp/kubernetes-local-b', '/opt/node', 'program'),
  ],
  ['what a debugger wrote before it died', died('It ended with 3.'), died('It closed the connection.')],
])('%s make no difference', (_name, recorded, now) => {
  expect(difference(recorded, now)).toBeUndefined();
});

test.each<[string, Raw, Raw, string[]]>([
  ['a value', { body: { a: [1, { b: 2 }] } }, { body: { a: [1, { b: 3 }] } }, ['body', 'a', '1', 'b']],
  ['a type', { a: '1' }, { a: 1 }, ['a']],
  ['null', { a: null }, {}, ['a']],
  ['a key more', { a: {} }, { a: { b: 1 } }, ['a', 'b']],
  ['a variable less', { env: { A: '…', B: '…' } }, { env: { A: '1' } }, ['env', 'B']],
  ['a longer list', { a: [1] }, { a: [1, 2] }, ['a', '1']],
  ['a text before a secret', { a: 'x «redacted» y' }, { a: 'z one y' }, ['a']],
  ['a text between secrets', { a: '«redacted» and «redacted»' }, { a: 'one or two' }, ['a']],
  ['a text behind a secret', { a: 'x «redacted» y' }, { a: 'x one z' }, ['a']],
  ['the kept part of a text', { a: `${long}«99 characters in all»` }, { a: `y${long}` }, ['a']],
  ['the kept part of a list', { a: [1, 2, '«7 more»'] }, { a: [1, 3, 4] }, ['a', '1']],
  [
    'the program in a terminal',
    terminal('/tmp/kubernetes-local-a', 'n', 'program'),
    terminal('/tmp/kubernetes-local-a', 'n', 'other'),
    ['arguments', 'args', '0'],
  ],
  ['the number of a problem', died('a'), died('a', 1), ['body', 'error', 'id']],
])('%s makes one, and it is found', (_name, recorded, now, place) => {
  expect(difference(recorded, now)).toEqual(place);
});

test('integers that no double holds are compared by their digits', () => {
  const big = (digits: string): Raw => {
    const value = parseLossless(`{"a":${digits}}`);
    return isRaw(value) ? value : {};
  };
  expect(difference(big('90071992547409931234'), big('90071992547409931234'))).toBeUndefined();
  expect(difference(big('90071992547409931234'), big('90071992547409931235'))).toEqual(['a']);
});
