import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import http2, { type IncomingHttpHeaders } from 'node:http2';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileServer } from './files.ts';
import {
  encodeBytes,
  errorHeader,
  expectedHeader,
  type FileEntry,
  fileVersion,
  modeHeader,
  versionHeader,
} from './protocol.ts';

interface Answer {
  readonly status: number;
  readonly error: unknown;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const folder = (): string => {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'agent-files-')));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

/** A file server behind HTTP/2, with one root `pod` beside a folder that no answer may come from. */
const serve = async (writable = true) => {
  const base = folder();
  const [pod, outside] = [join(base, 'pod'), join(base, 'outside')];
  mkdirSync(pod);
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  const files = new FileServer({ roots: [pod], writable: writable ? [pod] : [] }, () => {});
  const server = http2.createServer().on('stream', (stream, headers) => files.answer(stream, headers, true));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  const session = http2.connect(`http://127.0.0.1:${address.port}`);
  onTestFinished(() => {
    session.destroy();
    server.close();
  });
  const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> => {
    const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined });
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on('response', (given) => {
      head = given;
    });
    stream.on('trailers', (given) => {
      trailers = given;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    if (body !== undefined) stream.end(body);
    return new Promise((resolve, reject) => {
      stream.once('error', reject);
      stream.once('end', () => {
        const status = Number(head[':status']);
        resolve({ status, error: head[errorHeader], headers: head, trailers, body: Buffer.concat(chunks) });
      });
    });
  };
  const rootQuery = `root=${encodeBytes(bytes(pod))}`;
  const at = (path: string): string => `${rootQuery}&path=${encodeBytes(path)}`;
  const content = (path: string, headers?: Record<string, string>) => ask('GET', `/files/content?${at(path)}`, headers);
  const list = async (): Promise<FileEntry[]> => {
    const { status, body } = await ask('GET', `/files/list?${rootQuery}`);
    expect(status).toBe(200);
    return body
      .toString()
      .trim()
      .split('\n')
      .map((line): FileEntry => JSON.parse(line));
  };
  const put = (path: string, text: string, expected: string, mode = '644') =>
    ask(
      'PUT',
      `/files/content?${at(path)}`,
      { 'content-length': String(Buffer.byteLength(text)), [expectedHeader]: expected, [modeHeader]: mode },
      text,
    );
  const versionOf = async (path: string): Promise<string> =>
    fileVersion((await list()).find((entry) => entry.path === path));
  return { base, pod, outside, session, ask, at, content, list, put, versionOf };
};

test('a listing names everything beneath the root, the root first, links as links and special files as such', async () => {
  const { pod, list } = await serve();
  mkdirSync(join(pod, 'a'));
  writeFileSync(join(pod, 'a', 'text'), 'hello', { mode: 0o640 });
  chmodSync(join(pod, 'a', 'text'), 0o4750);
  symlinkSync('/outside/of it', join(pod, 'link'));
  execFileSync('mkfifo', [join(pod, 'fifo')]);
  const socket = createServer();
  onTestFinished(() => void socket.close());
  await once(socket.listen(join(pod, 'socket')), 'listening');

  const entries = await list();
  expect(entries[0]).toMatchObject({ path: '', kind: 'directory' });
  expect(new Map(entries.map(({ path, kind }) => [path, kind]))).toEqual(
    new Map([
      ['', 'directory'],
      ['a', 'directory'],
      ['a/text', 'file'],
      ['link', 'symlink'],
      ['fifo', 'fifo'],
      ['socket', 'socket'],
    ]),
  );
  const { mtimeNs } = lstatSync(join(pod, 'a', 'text'), { bigint: true });
  const file = { path: 'a/text', kind: 'file', size: 5, mode: 0o4750, mtime: String(mtimeNs) };
  expect(entries.find(({ path }) => path === 'a/text')).toEqual(file);
  expect(entries.find(({ path }) => path === 'link')?.target).toBe('/outside/of it');
});

test('names are bytes: with a line feed, not UTF-8, and all that a query could mistake', async () => {
  const { pod, list, content } = await serve();
  const names = ['line\nfeed', bytes('ü 👍'), 'not \xff\xfe UTF-8', '&path=..%2f?#+ %00', '-', '"\\'];
  for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${pod}/`), Buffer.from(name, 'latin1')]), name);
  const listed = (await list()).map(({ path }) => path);
  expect(listed.sort()).toEqual(['', ...names].sort());
  for (const name of names) expect((await content(name)).body.toString('utf8')).toBe(name);
});

test('a long listing arrives whole, and a reader may leave it', async () => {
  const { pod, list, session, at } = await serve();
  for (let group = 0; group < 20; group += 1) {
    mkdirSync(join(pod, `${group}`));
    for (let each = 0; each < 200; each += 1) writeFileSync(join(pod, `${group}`, `${each}`), '');
  }
  expect(new Set((await list()).map(({ path }) => path)).size).toBe(1 + 20 + 20 * 200);

  const stream = session.request({ ':method': 'GET', ':path': `/files/list?${at('')}` });
  stream.on('error', () => {});
  await once(stream, 'data');
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await once(stream, 'close');
  expect((await list()).length).toBe(1 + 20 + 20 * 200);
});

test('content comes with version and mode, whole or in part, and its trailer says that it did not change', async () => {
  const { pod, content, versionOf } = await serve();
  writeFileSync(join(pod, 'text'), '0123456789', { mode: 0o600 });
  writeFileSync(join(pod, 'empty'), '');
  const whole = await content('text');
  expect([whole.status, whole.body.toString()]).toEqual([200, '0123456789']);
  expect(whole.headers).toMatchObject({ 'content-length': '10', [modeHeader]: '600' });
  expect(whole.headers[versionHeader]).toBe(await versionOf('text'));
  expect(whole.trailers[versionHeader]).toBe(whole.headers[versionHeader]);
  expect((await content('empty')).body.length).toBe(0);

  const part = async (range: string) => {
    const { status, body } = await content('text', { range });
    return [status, body.toString()];
  };
  expect(await part('bytes=2-4')).toEqual([206, '234']);
  expect(await part('bytes=7-')).toEqual([206, '789']);
  expect(await part('bytes=8-100')).toEqual([206, '89']);
  expect(await part('bytes=10-')).toEqual([206, '']);
  expect((await content('text', { range: 'bytes=12-' })).error).toBe('EINVAL');
  expect((await content('text', { range: 'lines=1-2' })).error).toBe('EINVAL');
});

test('a file that changes while it is read has another version in the trailer', async () => {
  const { pod, session, at } = await serve();
  writeFileSync(join(pod, 'big'), Buffer.alloc(4 * 1024 * 1024, 1));
  const stream = session.request({ ':method': 'GET', ':path': `/files/content?${at('big')}` });
  const [head] = await once(stream, 'response');
  writeFileSync(join(pod, 'big'), Buffer.alloc(4 * 1024 * 1024 + 1, 2));
  const trailers = once(stream, 'trailers');
  stream.resume();
  const [trailer] = await trailers;
  expect(trailer[versionHeader]).toMatch(/^file 4194305 /);
  expect(head[versionHeader]).toMatch(/^file 4194304 /);
});

test.each([
  ['..', 'EINVAL'],
  ['../outside/secret', 'EINVAL'],
  ['a/../../outside/secret', 'EINVAL'],
  ['/etc/passwd', 'EINVAL'],
  ['a//b', 'EINVAL'],
  ['.', 'EINVAL'],
  ['a\0b', 'EINVAL'],
  ['way/secret', 'ENOTDIR'],
  ['way', 'EINVAL'],
  ['file', 'EINVAL'],
  ['file/', 'EINVAL'],
  ['folder', 'EISDIR'],
  ['fifo', 'EINVAL'],
  ['null', 'EINVAL'],
  ['missing', 'ENOENT'],
])('%j is never read: %s', async (path, code) => {
  const { pod, outside, content } = await serve();
  symlinkSync(outside, join(pod, 'way'));
  symlinkSync(join(outside, 'secret'), join(pod, 'file'));
  mkdirSync(join(pod, 'folder'));
  execFileSync('mkfifo', [join(pod, 'fifo')]);
  if (process.getuid?.() === 0) execFileSync('mknod', [join(pod, 'null'), 'c', '1', '3']);
  else symlinkSync('/dev/null', join(pod, 'null'));
  const answer = await content(path);
  expect([answer.error, answer.body.length]).toEqual([code, 0]);
  expect(answer.status).toBeGreaterThanOrEqual(400);
});

test('only the roots of the configuration are served, and only by the requests that there are', async () => {
  const { pod, outside, ask, at, base } = await serve();
  writeFileSync(join(pod, 'text'), 'hello');
  for (const root of [outside, base, `${pod}/`, `${pod}/../outside`, '/', '']) {
    const { error } = await ask('GET', `/files/list?root=${encodeBytes(bytes(root))}`);
    expect(error).toBe('EACCES');
  }
  expect((await ask('GET', '/files/list')).error).toBe('EACCES');
  expect((await ask('GET', `/files/other?${at('text')}`)).error).toBe('EINVAL');
  expect((await ask('DELETE', `/files/content?${at('text')}`, { [expectedHeader]: 'absent' })).error).toBe('EINVAL');
});

test('without roots nothing is served', async () => {
  const files = new FileServer(undefined, () => {});
  const server = http2.createServer().on('stream', (stream, headers) => files.answer(stream, headers, true));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const session = http2.connect(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  onTestFinished(() => {
    session.destroy();
    server.close();
  });
  const stream = session.request({ ':path': '/files/list?root=/' });
  const [headers] = await once(stream, 'response');
  expect(headers).toMatchObject({ ':status': 403, [errorHeader]: 'EACCES' });
});

/** Exchanges a folder and a link all the time, in a process of its own. */
const exchanging = (pod: string, outside: string): ChildProcess => {
  const source = `
    const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
    const [pod, outside] = process.argv.slice(1);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (;;) {
      renameSync(pod + '/folder', pod + '/kept');
      symlinkSync(outside, pod + '/folder');
      unlinkSync(pod + '/folder');
      renameSync(pod + '/kept', pod + '/folder');
      Atomics.wait(pause, 0, 0, Math.random() * 2);
    }`;
  const child = spawn(process.execPath, ['-e', source, pod, outside], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
};

test('a folder that is exchanged for a link at any moment leads nowhere', async () => {
  const { pod, outside, content, list, put } = await serve();
  mkdirSync(join(pod, 'folder'));
  writeFileSync(join(pod, 'folder', 'secret'), 'public');
  writeFileSync(join(outside, 'only-outside'), '');
  exchanging(pod, outside);
  const seen = new Map<string, number>();
  const enough = (): boolean => seen.has('public') && (seen.has('ENOTDIR') || seen.has('ENOENT'));
  for (let round = 0; round < 60 || !enough(); round += 1) {
    const answers = await Promise.all(Array.from({ length: 16 }, () => content('folder/secret')));
    for (const { body, error } of answers) {
      const got = String(error ?? body.toString());
      seen.set(got, (seen.get(got) ?? 0) + 1);
    }
    expect((await list()).map(({ path }) => path)).not.toContain('folder/only-outside');
    await put(`folder/new-${round}`, 'x', 'absent');
  }
  for (const got of seen.keys()) expect(['public', 'ENOENT', 'ENOTDIR']).toContain(got);
  expect(readdirSync(outside).sort()).toEqual(['only-outside', 'secret']);
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
});

test('a root that becomes a link after the start is not followed', async () => {
  const { pod, outside, content, ask, at } = await serve();
  writeFileSync(join(pod, 'secret'), 'public');
  expect((await content('secret')).body.toString()).toBe('public');
  renameSync(pod, `${pod}-away`);
  symlinkSync(outside, pod);
  expect((await content('secret')).error).toBe('ENOTDIR');
  expect((await ask('GET', `/files/list?${at('')}`)).body.toString()).not.toContain('secret');
});

/** A file server in a process of its own, started by `prefix` before node; gives its session. */
const serveApart = async (prefix: readonly string[], root: string) => {
  const source = `
    import http2 from 'node:http2';
    import { FileServer } from ${JSON.stringify(new URL('./files.ts', import.meta.url).href)};
    const files = new FileServer({ roots: [process.argv[1]], writable: [process.argv[1]] }, () => {});
    http2.createServer().on('stream', (stream, headers) => files.answer(stream, headers, true))
      .listen(0, '127.0.0.1', function () { process.stdout.write(String(this.address().port)); });`;
  const [program = '', ...rest] = [...prefix, process.execPath, '--input-type=module-typescript', '-e', source, root];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [port] = await once(child.stdout, 'data');
  const session = http2.connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const query = `root=${encodeBytes(bytes(root))}`;
  const list = async (): Promise<FileEntry[]> => {
    let text = '';
    for await (const chunk of session.request({ ':path': `/files/list?${query}` }).setEncoding('utf8')) text += chunk;
    return text
      .trim()
      .split('\n')
      .map((line): FileEntry => JSON.parse(line));
  };
  const head = async (path: string): Promise<IncomingHttpHeaders> => {
    const [headers] = await once(session.request({ ':path': `/files/content?${query}&path=${path}` }), 'response');
    return headers;
  };
  return { list, head };
};

test('what the agent may not read is told for itself, and the rest goes on', async () => {
  const base = folder();
  mkdirSync(join(base, 'closed'), { mode: 0o000 });
  writeFileSync(join(base, 'closed-file'), 'x', { mode: 0o000 });
  writeFileSync(join(base, 'open'), 'hello', { mode: 0o644 });
  chmodSync(base, 0o755);
  // Root may read everything; the agent in the pod is not root.
  const asNobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const { list, head } = await serveApart(asNobody, base);
  expect((await list()).map(({ path, error }) => [path, error])).toEqual(
    expect.arrayContaining([
      ['open', undefined],
      ['closed-file', undefined],
      ['closed', 'EACCES'],
    ]),
  );
  expect(await head('closed-file')).toMatchObject({ ':status': 403, [errorHeader]: 'EACCES' });
  expect(await head('open')).toMatchObject({ ':status': 200 });
});

test('what is mounted in a root is named and not entered', async () => {
  const base = folder();
  mkdirSync(join(base, 'in side'));
  writeFileSync(join(base, 'text'), 'hello');
  const mount = 'mount -t tmpfs none "$0/in side" && echo secret > "$0/in side/secret" && exec "$@"';
  const { list, head } = await serveApart(
    ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', mount, base],
    base,
  );
  const entries = await list();
  expect(entries.map(({ path, mount }) => [path, mount]).sort()).toEqual([
    ['', undefined],
    ['in side', true],
    ['text', undefined],
  ]);
  expect(await head('in%20side/secret')).toMatchObject({ ':status': 403, [errorHeader]: 'EXDEV' });
  expect(await head('text')).toMatchObject({ ':status': 200 });
});

test('a file is written in one act, with its mode, and only over what was expected', async () => {
  const { pod, put, versionOf } = await serve();
  const made = await put('text', 'one', 'absent', '4755');
  expect(made.status).toBe(200);
  expect(made.headers[versionHeader]).toBe(await versionOf('text'));
  expect(lstatSync(join(pod, 'text')).mode & 0o7777).toBe(0o755);
  expect((await put('text', 'two', 'absent')).error).toBe('ESTALE');
  expect((await put('text', 'two', 'file 3 1')).error).toBe('ESTALE');
  expect(readFileSync(join(pod, 'text'), 'utf8')).toBe('one');

  const changed = await put('text', 'three', String(made.headers[versionHeader]), '600');
  expect(changed.headers[versionHeader]).toBe(await versionOf('text'));
  expect(lstatSync(join(pod, 'text')).mode & 0o7777).toBe(0o755);
  expect(readFileSync(join(pod, 'text'), 'utf8')).toBe('three');
  expect((await put('none', 'x', 'file 3 1')).error).toBe('ESTALE');
  expect((await put('missing/text', 'x', 'absent')).error).toBe('ENOENT');
  expect((await put('', 'x', 'directory')).error).toBe('EBUSY');
  expect(readdirSync(pod)).toEqual(['text']);
});

test('a file that is cut off leaves nothing behind', async () => {
  const { pod, session, at, put, versionOf } = await serve();
  await put('text', 'whole', 'absent');
  const stream = session.request({
    ':method': 'PUT',
    ':path': `/files/content?${at('text')}`,
    'content-length': '1000',
    [expectedHeader]: await versionOf('text'),
    [modeHeader]: '644',
  });
  stream.on('error', () => {});
  stream.write('a part');
  await expect.poll(() => readdirSync(pod).length).toBe(2);
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await expect.poll(() => readdirSync(pod)).toEqual(['text']);
  expect(readFileSync(join(pod, 'text'), 'utf8')).toBe('whole');
});

test('a link at the place of a file or of a folder is never written through', async () => {
  const { pod, outside, put } = await serve();
  symlinkSync(join(outside, 'secret'), join(pod, 'link'));
  symlinkSync(outside, join(pod, 'way'));
  expect((await put('link', 'x', 'absent')).error).toBe('ESTALE');
  expect((await put('way/secret', 'x', 'absent')).error).toBe('ENOTDIR');
  expect((await put('link', 'x', `symlink ${encodeBytes(join(outside, 'secret'))}`)).status).toBe(200);
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  expect(readFileSync(join(pod, 'link'), 'utf8')).toBe('x');
});

test('folders and links are made and exchanged, everything is removed only as expected', async () => {
  const { pod, ask, at, put, versionOf } = await serve();
  const mode = { [modeHeader]: '750' };
  expect((await ask('PUT', `/files/folder?${at('folder')}`, mode)).status).toBe(200);
  expect((await ask('PUT', `/files/folder?${at('folder')}`, mode)).error).toBe('EEXIST');
  const link = (target: string, expected: string) =>
    ask('PUT', `/files/link?${at('folder/link')}&target=${encodeBytes(target)}`, { [expectedHeader]: expected });
  expect((await link('../a b', 'absent')).headers[versionHeader]).toBe('symlink ../a%20b');
  expect((await link('c', 'absent')).error).toBe('ESTALE');
  expect((await link('c', 'symlink ../a%20b')).status).toBe(200);
  expect(readlinkSync(join(pod, 'folder', 'link'))).toBe('c');

  const remove = (path: string, expected: string) =>
    ask('DELETE', `/files/entry?${at(path)}`, { [expectedHeader]: expected });
  expect((await remove('folder', 'directory')).error).toBe('ENOTEMPTY');
  expect((await remove('folder/link', 'symlink other')).error).toBe('ESTALE');
  expect((await remove('folder/link', 'symlink c')).status).toBe(200);
  expect((await remove('folder', 'directory')).status).toBe(200);
  expect((await remove('folder', 'directory')).headers[versionHeader]).toBe('absent');
  await put('text', 'x', 'absent');
  expect((await remove('text', 'file 1 1')).error).toBe('ESTALE');
  expect((await remove('text', await versionOf('text'))).status).toBe(200);
  expect(readdirSync(pod)).toEqual([]);
});

test('a root that is not writable is not changed', async () => {
  const { pod, ask, at, put } = await serve(false);
  writeFileSync(join(pod, 'text'), 'x');
  expect((await put('new', 'x', 'absent')).error).toBe('EROFS');
  expect((await ask('PUT', `/files/folder?${at('new')}`, { [modeHeader]: '755' })).error).toBe('EROFS');
  expect((await ask('DELETE', `/files/entry?${at('text')}`, { [expectedHeader]: 'absent' })).error).toBe('EROFS');
  expect(readdirSync(pod)).toEqual(['text']);
});

test('a request that lacks something is refused', async () => {
  const { pod, ask, at } = await serve();
  const put = `/files/content?${at('new')}`;
  const mode = { [modeHeader]: '755' };
  const expected = { [expectedHeader]: 'absent' };
  expect((await ask('PUT', put, { ...mode, ...expected })).error).toBe('EINVAL');
  expect((await ask('PUT', put, { ...mode, 'content-length': '1' }, 'x')).error).toBe('EINVAL');
  expect((await ask('PUT', put, { ...expected, 'content-length': '1' }, 'x')).error).toBe('EINVAL');
  expect((await ask('PUT', `/files/link?${at('new')}`, expected)).error).toBe('EINVAL');
  expect(readdirSync(pod)).toEqual([]);
});
