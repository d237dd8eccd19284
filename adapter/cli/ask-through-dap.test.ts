import { expect, test } from 'vitest';
import type { Question } from '../dap/surroundings.ts';
import { askThroughDap } from './ask-through-dap.ts';

const { signal } = new AbortController();
const portQuestion = {
  text: 'Port 80 is in use by nginx.\nIts command line: nginx',
  choices: [
    { answer: 'other-port' as const, text: 'Use port 8080 instead.' },
    { answer: 'stop' as const, text: 'Stop nginx.' },
    { answer: 'cancel' as const, text: 'Cancel.' },
  ],
};

const heldQuestion = {
  text: 'Anna has it.',
  choices: [
    { answer: 'wait' as const, text: 'Wait.' },
    { answer: 'take-over' as const, text: 'Take it over; she is told.' },
    { answer: 'cancel' as const, text: 'Cancel.' },
  ],
};

function asking(answer: string | undefined) {
  const asked: Question[] = [];
  const notices: string[] = [];
  const ask = askThroughDap({
    ask: async (question) => {
      asked.push(question);
      return answer;
    },
    notice: (_level, text) => void notices.push(text),
  });
  return { ask, asked, notices };
}

test.each([
  ['granted', 'granted'],
  ['anything', 'refused'],
  [undefined, 'refused'],
] as const)('consent answered by %s is %s', async (answer, consent) => {
  const { ask, asked, notices } = asking(answer);
  expect(await ask.consent('To write the hosts file.', signal)).toBe(consent);
  expect(asked).toMatchObject([{ about: 'privileges', text: 'To write the hosts file.' }]);
  expect(notices).toEqual([]);
});

test.each([
  ['stop', 'stop'],
  ['nonsense', 'cancel'],
  [undefined, 'cancel'],
] as const)('a port question answered by %s is %s', async (answer, expected) => {
  const { ask, asked } = asking(answer);
  expect(await ask.port(portQuestion, signal)).toBe(expected);
  expect(asked).toEqual([
    {
      about: 'port',
      title: 'Port 80 is in use by nginx.',
      text: 'Its command line: nginx',
      // Dismissing is cancelling.
      choices: [
        { id: 'other-port', label: 'Use port 8080 instead' },
        { id: 'stop', label: 'Stop nginx' },
      ],
    },
  ]);
});

test.each([
  ['take-over', 'take-over'],
  ['stop', 'cancel'],
  [undefined, 'cancel'],
] as const)('a question about a held target answered by %s is %s', async (answer, expected) => {
  const { ask, asked } = asking(answer);
  expect(await ask.held(heldQuestion, signal)).toBe(expected);
  expect(asked).toEqual([
    {
      about: 'held',
      title: 'Anna has it.',
      text: '',
      choices: [
        { id: 'wait', label: 'Wait' },
        { id: 'take-over', label: 'Take it over; she is told' },
      ],
    },
  ]);
});

test('where nobody can be asked, consent is left to the system and a port is not', async () => {
  const notices: string[] = [];
  const ask = askThroughDap({ notice: (_level, text) => void notices.push(text) });
  expect(await ask.consent('To write the hosts file.', signal)).toBe('granted');
  expect(notices).toEqual(['To write the hosts file.']);
  expect(await ask.port(portQuestion, signal)).toBe('impossible');
  expect(await ask.held(heldQuestion, signal)).toBe('impossible');
});
