import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { announce } from '../../agent/identity.ts';
import type { AgentLog } from '../../agent/log.ts';
import { keyAgainAfterLines } from '../../agent/protocol.ts';
import { Problem } from '../problem.ts';
import { agentKeys } from './agent-key.ts';
import { type FakeAnswer, FakeApiServer } from './fake-api-server.ts';

const lines =
  (...texts: string[]) =>
  (response: ServerResponse) =>
    void response.writeHead(200).end(texts.join('\n'));
const key = (text: string) =>
  JSON.stringify({ time: 't', level: 'info', message: 'agent key', publicKey: Buffer.from(text).toString('base64') });

const start = async (...answers: FakeAnswer[]): Promise<FakeApiServer> => {
  const fake = await FakeApiServer.start(() => answers.shift() ?? 500);
  onTestFinished(() => fake[Symbol.asyncDispose]());
  return fake;
};

const keyOf = async (fake: FakeApiServer): Promise<string> => {
  const read = await agentKeys(fake.cluster(), 'cart').keyOf('cart-1', AbortSignal.timeout(10_000));
  return read.toString();
};

test('the newest key of the log is the agent’s, whatever else is written there', async () => {
  const fake = await start(
    lines('half a line "publicKey"', key('old'), '{"message":"dial failed"}', key('new'), '7', ''),
  );
  expect(await keyOf(fake)).toBe('new');
  const [request] = fake.requests;
  expect(request?.path).toMatch(/\/pods\/cart-1\/log$/);
  expect(Object.fromEntries(request?.query ?? [])).toEqual({ container: 'cart', tailLines: '400' });
});

test('it is waited for while the container starts and has written nothing', async () => {
  const fake = await start(
    400,
    lines(''),
    lines('{"message":"agent key","publicKey":"no base64!"}'),
    lines(key('there')),
  );
  expect(await keyOf(fake)).toBe('there');
  expect(fake.requests).toHaveLength(4);
});

test('a pod that is gone and a right that is missing are told', async () => {
  await expect(keyOf(await start(404))).rejects.toBeInstanceOf(Problem);
  await expect(keyOf(await start(403))).rejects.toBeInstanceOf(Problem);
});

test('the newest lines of an agent’s log always have its key', () => {
  const written: string[] = [];
  const write: AgentLog = (_level, message, details) => written.push(JSON.stringify({ message, ...details }));
  const log = announce({ publicKey: Buffer.from('mine'), sign: (bytes) => bytes }, write);
  expect(written).toHaveLength(1);
  for (let line = 0; line < 5 * keyAgainAfterLines; line += 1) {
    log('warn', 'dial failed');
    const newest = written.slice(-2 * keyAgainAfterLines);
    expect(newest.some((text) => text.includes(Buffer.from('mine').toString('base64')))).toBe(true);
  }
});
