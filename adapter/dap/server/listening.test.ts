import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listenAt } from './listening.ts';

test.each([
  [
    'a folder that is not there',
    '/no/such/folder/dap.sock',
    "ENOENT: no such file or directory, stat '/no/such/folder'",
  ],
  ['a file in place of a folder', join(import.meta.filename, 'dap.sock'), `${import.meta.filename} is no folder.`],
  ['a path that is too long', join(tmpdir(), 'x'.repeat(120)), /^A path of a socket has at most \d+ bytes\.$/],
  ['something else at the path', import.meta.filename, 'There is something that is no socket.'],
])('%s is named as the reason', async (_name, path, why) => {
  const error: unknown = await listenAt(createServer(), { path }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'listen-failed', what: `The debug adapter cannot listen at ${path}.` });
  expect(error).toHaveProperty('why', typeof why === 'string' ? why : expect.stringMatching(why));
});
