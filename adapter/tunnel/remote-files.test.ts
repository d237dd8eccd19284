import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type FileEntry, fileVersion, type Range, RemoteFiles } from './remote-files.ts';
import { randomData, readHash, readText, startTestBed } from './test-bed.ts';
import type { Tunnel } from './tunnel.ts';

const never = new AbortController().signal;

/** An agent with a writable folder, and the files over a tunnel to it. */
const open = async () => {
  const pod = mkdtempSync(join(tmpdir(), 'remote-files-'));
  onTestFinished(() => rmSync(pod, { recursive: true, force: true }));
  const bed = await startTestBed({ files: { roots: [pod], writable: [pod] } });
  onTestFinished(() => bed[Symbol.asyncDispose]());
  const tunnel = await bed.open();
  const tunnels: { all: Tunnel[] } = { all: [tunnel] };
  const files = RemoteFiles.over(tunnels);
  const list = async (): Promise<FileEntry[]> => {
    const entries: FileEntry[] = [];
    for await (const entry of files.list(pod, never)) entries.push(entry);
    return entries;
  };
  const read = async (path: string, range?: Range) => {
    const chunks: Buffer[] = [];
    const collect = async (content: Readable): Promise<void> => {
      chunks.length = 0;
      for await (const chunk of content) chunks.push(chunk);
    };
    const fetched = await files.fetch(pod, path, collect, never, range);
    return { ...fetched, text: Buffer.concat(chunks).toString() };
  };
  return { pod, bed, tunnel, tunnels, files, list, read };
};

/** A dialled connection through the same session. */
const health = (tunnel: Tunnel, port: number): Promise<string> => {
  const stream = tunnel.dial('127.0.0.1', port);
  stream.end('GET /live HTTP/1.1\r\nhost: pod\r\n\r\n');
  return readText(stream);
};

test('what is listed can be fetched, in the version that the list has', async () => {
  const { pod, list, read, files } = await open();
  mkdirSync(join(pod, 'a'));
  writeFileSync(join(pod, 'a', 'ü'), 'hello');
  chmodSync(join(pod, 'a', 'ü'), 0o640);
  symlinkSync('ü', join(pod, 'a', 'link'));
  const path = Buffer.from('a/ü').toString('latin1');
  const entry = (await list()).find((each) => each.path === path);
  const version = fileVersion(entry);
  expect(await read(path)).toEqual({ text: 'hello', version, mode: 0o640, changing: false });
  expect((await read(path, { start: 1, end: 3 })).text).toBe('el');
  expect((await read(path, { start: 3 })).text).toBe('lo');
  expect(files.pod).toBe('cart-1');
});

test('a root may be a single file, and is read as such', async () => {
  const pod = join(mkdtempSync(join(tmpdir(), 'remote-files-')), 'text');
  onTestFinished(() => rmSync(join(pod, '..'), { recursive: true, force: true }));
  writeFileSync(pod, 'hello');
  const bed = await startTestBed({ files: { roots: [pod], writable: [] } });
  onTestFinished(() => bed[Symbol.asyncDispose]());
  const files = RemoteFiles.over({ all: [await bed.open()] });
  const kinds: [string, string][] = [];
  for await (const { path, kind } of files.list(pod, never)) kinds.push([path, kind]);
  expect(kinds).toEqual([['', 'file']]);
  let content = '';
  const sink = async (body: Readable): Promise<void> => {
    content = await readText(body);
  };
  await files.fetch(pod, '', sink, never);
  expect(content).toBe('hello');
});

test('large files come whole, beside one another and beside other traffic', async () => {
  const { pod, files, bed, tunnel } = await open();
  const contents = Array.from({ length: 8 }, (_, index) => randomData(index, 3_000_000 + index));
  for (const [index, { chunks }] of contents.entries()) writeFileSync(join(pod, `${index}`), Buffer.concat(chunks));
  const answer = health(tunnel, bed.agent.healthPort);
  const hashes = await Promise.all(
    contents.map(async (_, index) => {
      let hash = '';
      await files.fetch(
        pod,
        `${index}`,
        async (content) => {
          hash = await readHash(content);
        },
        never,
      );
      return hash;
    }),
  );
  expect(hashes).toEqual(contents.map(({ hash }) => hash));
  expect(await answer).toContain('200 OK');
});

test('a slow sink holds the pod back, and the rest of the tunnel goes on', async () => {
  const { pod, files, tunnel, read } = await open();
  writeFileSync(join(pod, 'big'), Buffer.alloc(64 * 1024 * 1024, 1));
  writeFileSync(join(pod, 'small'), 'small');
  let length = 0;
  const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>();
  const fetching = files.fetch(
    pod,
    'big',
    async (content) => {
      const sink = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          length += chunk.length;
          void mayGoOn.then(() => done());
        },
      });
      await pipeline(content, sink);
    },
    never,
  );
  await expect.poll(() => length).toBeGreaterThan(0);
  expect((await read('small')).text).toBe('small');
  expect(tunnel.statistics.bytesIn).toBeLessThan(32 * 1024 * 1024);
  goOn();
  await fetching;
  expect(length).toBe(64 * 1024 * 1024);
});

test('a file that changes while it is read is read again, and told if it changes again', async () => {
  const { pod, files } = await open();
  const path = join(pod, 'log');
  writeFileSync(path, Buffer.alloc(4 * 1024 * 1024, 1));
  const change = (times: number) => {
    let calls = 0;
    const sizes: number[] = [];
    const sink = async (content: Readable): Promise<void> => {
      calls += 1;
      let size = 0;
      for await (const chunk of content) {
        if (size === 0 && calls <= times) appendFileSync(path, 'x');
        size += chunk.length;
      }
      sizes.push(size);
    };
    return { sink, sizes };
  };
  const once = change(1);
  expect(await files.fetch(pod, 'log', once.sink, never)).toMatchObject({ changing: false });
  expect(once.sizes).toEqual([4 * 1024 * 1024, 4 * 1024 * 1024 + 1]);
  const always = change(9);
  expect(await files.fetch(pod, 'log', always.sink, never)).toMatchObject({ changing: true });
  expect(always.sizes).toHaveLength(2);
});

test('changes arrive, and only over what was expected', async () => {
  const { pod, files, list } = await open();
  const write = (path: string, text: string, expected: string) =>
    files.write(pod, path, { content: Readable.from([text]), size: text.length, mode: 0o644, expected }, never);
  await files.makeFolder(pod, 'folder', 0o755, never);
  await expect(files.makeFolder(pod, 'folder', 0o755, never)).rejects.toMatchObject({ code: 'EEXIST' });
  const version = await write('folder/text', 'one', 'absent');
  await expect(write('folder/text', 'two', 'absent')).rejects.toMatchObject({ code: 'ESTALE' });
  expect(await write('folder/text', 'three', version)).not.toBe(version);
  expect(readFileSync(join(pod, 'folder', 'text'), 'utf8')).toBe('three');
  await files.writeLink(pod, 'link', { target: 'folder/text', expected: 'absent' }, never);
  expect(readlinkSync(join(pod, 'link'))).toBe('folder/text');
  await expect(files.remove(pod, 'folder', 'directory', never)).rejects.toMatchObject({ code: 'ENOTEMPTY' });
  for (const path of ['link', 'folder/text', 'folder']) {
    await files.remove(pod, path, fileVersion((await list()).find((entry) => entry.path === path)), never);
  }
  expect(readdirSync(pod)).toEqual([]);
});

test('content that ends too early changes nothing in the pod, and the failure of its source is told', async () => {
  const { pod, files } = await open();
  const short = { content: Readable.from(['abc']), size: 10, mode: 0o644, expected: 'absent' };
  await expect(files.write(pod, 'text', short, never)).rejects.toMatchObject({ name: 'RemoteFileError' });
  const error = Object.assign(new Error('no'), { code: 'EACCES', syscall: 'read' });
  const failing = new Readable({ read: (): void => void failing.destroy(error) });
  const broken = { content: failing, size: 10, mode: 0o644, expected: 'absent' };
  await expect(files.write(pod, 'text', broken, never)).rejects.toBe(error);
  await expect.poll(() => readdirSync(pod)).toEqual([]);
});

test('what is refused has the code of the pod; a failing sink has its own', async () => {
  const { pod, files, read } = await open();
  await expect(read('missing')).rejects.toMatchObject({ code: 'ENOENT', message: 'ENOENT: missing' });
  await expect(files.list('/elsewhere', never).next()).rejects.toMatchObject({ code: 'EACCES' });
  writeFileSync(join(pod, 'text'), 'x'.repeat(100_000));
  const full = Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' });
  const sink = async (content: Readable): Promise<void> => {
    await pipeline(content, new Writable({ write: (_chunk, _encoding, done) => done(full) }));
  };
  await expect(files.fetch(pod, 'text', sink, never)).rejects.toBe(full);
});

test('an abort ends a listing, a reading and a writing with its reason', async () => {
  const { pod, files } = await open();
  writeFileSync(join(pod, 'big'), Buffer.alloc(64 * 1024 * 1024));
  for (let each = 0; each < 2_000; each += 1) writeFileSync(join(pod, `${each}`.padStart(200, 'x')), '');
  const given = new Error('given up');
  const listing = new AbortController();
  const list = async (): Promise<void> => {
    for await (const _ of files.list(pod, listing.signal)) listing.abort(given);
  };
  await expect(list()).rejects.toBe(given);

  const reading = new AbortController();
  const sink = async (content: Readable): Promise<void> => {
    for await (const _ of content) reading.abort(given);
  };
  await expect(files.fetch(pod, 'big', sink, reading.signal)).rejects.toBe(given);

  const writing = new AbortController();
  const content = new Readable({ read: () => {} });
  content.push('abc');
  const file = { content, size: 10, mode: 0o644, expected: 'absent' };
  const written = files.write(pod, 'new', file, writing.signal);
  await expect.poll(() => readdirSync(pod).some((name) => name.startsWith('.kubernetes-local-'))).toBe(true);
  writing.abort(given);
  await expect(written).rejects.toBe(given);
  await expect(files.fetch(pod, 'big', sink, AbortSignal.abort(given))).rejects.toBe(given);
  await expect.poll(() => readdirSync(pod).some((name) => name.startsWith('.kubernetes-local-'))).toBe(false);
});

test('a tunnel that breaks is an error, not the end of a file', async () => {
  const { pod, files, tunnel, tunnels } = await open();
  writeFileSync(join(pod, 'big'), Buffer.alloc(64 * 1024 * 1024));
  const sink = async (content: Readable): Promise<void> => {
    for await (const _ of content) void tunnel[Symbol.asyncDispose]();
  };
  await expect(files.fetch(pod, 'big', sink, never)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(files.list(pod, never).next()).rejects.toMatchObject({ code: 'ENOTCONN' });
  tunnels.all = [];
  await expect(files.list(pod, never).next()).rejects.toMatchObject({ code: 'ENOTCONN' });
  expect(() => RemoteFiles.over(tunnels)).toThrow('no pod is connected');
});

test('another pod serves only what all pods share', async () => {
  const { pod, files, tunnel, tunnels } = await open();
  const other: Tunnel = Object.create(tunnel, { pod: { value: 'cart-2' }, ask: { value: tunnel.ask.bind(tunnel) } });
  tunnels.all = [other];
  await expect(files.list(pod, never).next()).rejects.toMatchObject({ code: 'ENOTCONN' });
  expect((await files.shared.list(pod, never).next()).value).toMatchObject({ path: '', kind: 'directory' });
});

test('an agent without roots refuses, and still dials', async () => {
  const bed = await startTestBed();
  onTestFinished(() => bed[Symbol.asyncDispose]());
  const tunnel = await bed.open();
  const files = RemoteFiles.over({ all: [tunnel] });
  await expect(files.list('/', never).next()).rejects.toMatchObject({ code: 'EACCES' });
  expect(await health(tunnel, bed.agent.healthPort)).toContain('200 OK');
});
