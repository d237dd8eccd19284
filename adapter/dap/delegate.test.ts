import { expect, test } from 'vitest';
import { silentLog } from '../diagnostics/log.ts';
import { Delegate } from './delegate.ts';

test('what a debug adapter behind a socket prints is the program’s, once it is reached', async () => {
  const listening = `
    require('node:net').createServer(() => {
      process.stdout.write('to stdout');
      process.stderr.write('to stderr');
    }).listen(process.argv[1]);
    process.stderr.write('before\\n');`;
  const printed = { stdout: Promise.withResolvers<string>(), stderr: Promise.withResolvers<string>() };
  const delegate = await Delegate.start(
    {
      command: { argv: [process.execPath, '-e', listening, '{socket}'], origin: 'here', transport: { kind: 'socket' } },
      environment: {},
      log: silentLog,
      sent: () => {},
      printed: (text, stream) => printed[stream].resolve(text),
    },
    AbortSignal.timeout(10_000),
  );
  expect(await Promise.all([printed.stdout.promise, printed.stderr.promise])).toEqual(['to stdout', 'to stderr']);
  await delegate.end({ endOfFile: 0, sigterm: 5000 }, true);
});

test('one that hangs up and ends then is heard to its last word', async () => {
  const ending = `
    require('node:net').createServer((socket) => {
      socket.end();
      setTimeout(() => process.stdout.write('bye', () => process.exit(7)), 100);
    }).listen(process.argv[1]);`;
  let said = '';
  const delegate = await Delegate.start(
    {
      command: { argv: [process.execPath, '-e', ending, '{socket}'], origin: 'here', transport: { kind: 'socket' } },
      environment: {},
      log: silentLog,
      sent: () => {},
      printed: (text) => {
        said += text;
      },
    },
    AbortSignal.timeout(10_000),
  );
  delegate.channel.listen({ message: () => {}, end: () => {}, unreadable: () => {}, broken: () => {} });
  expect(await delegate.exited).toBe('It ended with exit code 7.');
  expect(said).toBe('bye');
  expect(delegate.exitedByItself).toBe(true);
  await delegate.end({ endOfFile: 0, sigterm: 5000 }, true);
});

test('the user’s own variables win over those of the surroundings, which win over ours; undefined removes one', async () => {
  const telling = `
    const { A, B, HOME, PATH } = process.env;
    process.stderr.write(JSON.stringify({ A, B, HOME, path: PATH !== undefined }) + '\\n');
    process.exit(1);`;
  const options = {
    command: {
      argv: [process.execPath, '-e', telling, '{socket}'],
      origin: 'here',
      transport: { kind: 'socket' },
      environment: { B: 'own', HOME: undefined },
    },
    environment: { A: 'pod', B: 'pod', HOME: '/pod' },
    log: silentLog,
    sent: () => {},
    printed: () => {},
  } as const;
  const start = Delegate.start(options, AbortSignal.timeout(10_000));
  await expect(start).rejects.toThrow('{"A":"pod","B":"own","path":true}');
});
