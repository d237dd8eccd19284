import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dialInside, serveDial } from './dial-inside.ts';

const never = new AbortController().signal;
let folder = '';
let path = '';
let program: Server;
let port = 0;
let dialServer: AsyncDisposable;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dial-'));
  path = join(folder, 'dial');
  // Speaks first, and answers the end of what it is sent.
  program = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}).write('hello ');
    let question = '';
    socket.on('data', (chunk) => {
      question += String(chunk);
    });
    socket.on('end', () => socket.end(question.toUpperCase()));
  });
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
  const address = program.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  const dial = (host: string, at: number) =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connect({ host, port: at, allowHalfOpen: true }, () => resolve(socket)).once('error', reject);
    });
  dialServer = await serveDial({ path, dial });
});
afterEach(async () => {
  await dialServer[Symbol.asyncDispose]();
  await new Promise((resolve) => program.close(resolve));
  await rm(folder, { recursive: true });
});

async function all(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

describe('dialInside', () => {
  it('carries bytes and the end of each direction', async () => {
    const socket = await dialInside(path, '127.0.0.1', port, never);
    socket.end('question');
    expect(await all(socket)).toBe('hello QUESTION');
  });

  it('carries what is sent ahead', async () => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.end(`${JSON.stringify({ host: '127.0.0.1', port })}\nahead`);
    expect(await all(socket)).toBe('ok\nhello AHEAD');
  });

  it('says why not', async () => {
    await expect(dialInside(path, '127.0.0.1', 1, never)).rejects.toThrow('ECONNREFUSED');
    await expect(dialInside(join(folder, 'no'), '127.0.0.1', port, never)).rejects.toThrow('ENOENT');
    await expect(dialInside(path, '127.0.0.1', port, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});

describe('the server', () => {
  it('is for its user alone', async () => {
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['no JSON', '127.0.0.1 80\n'],
    ['a name, which the program might not mean', '{"host":"localhost","port":80}\n'],
    ['a port that is none', '{"host":"127.0.0.1","port":70000}\n'],
    ['more than a line', 'x'.repeat(10_000)],
    ['no end of a line', '{'],
  ])('refuses %s', async (_name, bytes) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.end(bytes);
    expect(await all(socket)).toMatch(/^(?!ok).+\n$/);
  });

  it('takes no new connections when it is disposed, and lets those that are there end by themselves', async () => {
    const socket = await dialInside(path, '127.0.0.1', port, never);
    await dialServer[Symbol.asyncDispose]();
    await expect(dialInside(path, '127.0.0.1', port, never)).rejects.toMatchObject({ code: 'ENOENT' });
    socket.end('still here');
    expect(await all(socket)).toBe('hello STILL HERE');
    dialServer = await serveDial({ path: join(folder, 'other'), dial: () => Promise.reject(new Error('unused')) });
  });
});
