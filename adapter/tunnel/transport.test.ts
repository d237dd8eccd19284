import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Transport } from './transport.ts';

test('what is written together is sent together', async () => {
  const sent: string[] = [];
  const send = (text: string, callback: () => void): void => {
    sent.push(text);
    setImmediate(callback);
  };
  const channel = new Duplex({
    read: () => {},
    write: (chunk, _encoding, callback) => send(String(chunk), callback),
    writev: (chunks, callback) => send(chunks.map(({ chunk }) => String(chunk)).join(''), callback),
  });
  const transport = new Transport(channel);
  transport.cork();
  transport.write('header ');
  transport.write('payload');
  transport.uncork();
  await new Promise((resolve) => transport.write('!', resolve));
  expect(sent).toEqual(['header payload', '!']);
  expect(transport.bytesSent).toBe(15);
});

test('a slow channel holds the writer back', () => {
  const channel = new Duplex({ read: () => {}, write: () => {} });
  const transport = new Transport(channel);
  let accepted = 0;
  while (transport.write(Buffer.alloc(65536))) accepted += 65536;
  expect(accepted).toBeLessThanOrEqual(1024 * 1024);
});

test('a slow reader pauses the channel', async () => {
  const channel = new PassThrough();
  const transport = new Transport(channel);
  for (let count = 0; count < 100; count += 1) channel.write(Buffer.alloc(65536));
  await once(transport, 'readable');
  expect(channel.isPaused()).toBe(true);
  expect(transport.bytesReceived).toBeLessThan(2 * 1024 * 1024);
  let received = 0;
  for await (const chunk of transport) {
    received += chunk.length;
    if (received === 100 * 65536) break;
  }
  expect(received).toBe(100 * 65536);
});

test('an error of the channel is an error of the transport', async () => {
  const channel = new PassThrough();
  const transport = new Transport(channel);
  channel.destroy(new Error('websocket closed'));
  const [error] = await once(transport, 'error');
  expect(error).toMatchObject({ message: 'websocket closed' });
});
