import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Client } from './client.ts';
import type { Raw } from './message.ts';
import { Channel } from './wire/channel.ts';

function begin() {
  const sent: Raw[] = [];
  const channel = new Channel(new PassThrough(), new PassThrough(), (message) => sent.push(message));
  return { client: new Client({ channel, undo: async () => {} }), sent };
}

test.each([
  ['vscode', 'important'],
  ['dape', 'stderr'],
  ['lsp4e.debug', 'stderr'],
  [undefined, 'important'],
])('%s is told what is important in a category that it shows', (id, category) => {
  const { client, sent } = begin();
  client.id = id;
  client.tell('Look out.', 'important');
  expect(sent).toEqual([expect.objectContaining({ event: 'output', body: { category, output: 'Look out.\n' } })]);
});

describe('terminated', () => {
  const ofTheDebugger = { type: 'event', event: 'terminated', body: { restart: false } };

  test('of the debugger does not repeat ours', async () => {
    const { client, sent } = begin();
    client.sayTerminated();
    client.passTerminated(ofTheDebugger);
    await client.undo();
    expect(sent).toEqual([expect.objectContaining({ event: 'terminated', seq: 1 })]);
  });

  test('of ours does not repeat the debugger’s, which may say it twice', async () => {
    const { client, sent } = begin();
    client.passTerminated(ofTheDebugger);
    client.passTerminated(ofTheDebugger);
    client.sayTerminated();
    await client.undo();
    expect(sent).toEqual([1, 2].map((seq) => ({ ...ofTheDebugger, seq })));
  });
});
