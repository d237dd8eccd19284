import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AtomicWriter } from './atomic-writer.ts';
import { cleanPath, type Payload, pathFault } from './payload.ts';

const modes = { folder: 0o755, file: (mode: number) => mode };
let folder: string;
let umask: number;
beforeEach(() => {
  umask = process.umask();
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-writer-'));
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true, force: true });
});

function files(entries: Readonly<Record<string, string>>, mode = 0o644): Payload {
  return new Map(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));
}

/** Path → `dir 755`, `link …`, `file 644 text`; the time in a name is TIME. */
function tree(root = folder): Record<string, string> {
  const found: Record<string, string> = {};
  const time = /\.\.\d{4}(_\d\d){5}\.\d{1,10}$/;
  const walk = (path: string, name: string) => {
    for (const entry of readdirSync(path)) {
      const full = join(path, entry);
      const shown = `${name}${entry.replace(time, '..TIME')}`;
      const stat = lstatSync(full);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) found[shown] = `link ${readlinkSync(full).replace(time, '..TIME')}`;
      else if (stat.isDirectory()) {
        found[shown] = `dir ${mode}`;
        walk(full, `${shown}/`);
      } else found[shown] = `file ${mode} ${readFileSync(full, 'utf8')}`;
    }
  };
  walk(root, '');
  return found;
}

const dataFolder = () => readlinkSync(join(folder, '..data'));

describe('paths', () => {
  it.each(['foo', 'foo/bar', '.hidden', 'a..b', 'f/..x', 'x'.repeat(255)])('allow %j', (path) =>
    expect(pathFault(path)).toBeUndefined(),
  );
  it.each([
    ['', 'empty'],
    ['/abs', 'absolute'],
    ['..', '..'],
    ['../x', '..'],
    ['foo/..', '..'],
    ['foo/../bar', '..'],
    ['..foo', 'starts'],
    ['..foo/bar', 'starts'],
    ['...', 'starts'],
    ['x'.repeat(256), '255'],
    [`foo/${'ü'.repeat(128)}`, '255'],
    ['x/'.repeat(2049), '4096'],
  ])('refuse %j', (path, why) => expect(pathFault(path)).toContain(why));
  it('are made plain', () => {
    expect(cleanPath('a//b/./c/')).toBe('a/b/c');
  });
});

describe('the layout', () => {
  it('is kubelet’s', async () => {
    const writer = new AtomicWriter(folder, modes);
    expect(await writer.write(files({ podName: 'cart', 'user/labels': 'l', 'user/deep/x': 'x', '.hidden': '' }))).toBe(
      true,
    );
    expect(tree()).toEqual({
      '..TIME': 'dir 755',
      '..TIME/.hidden': 'file 644 ',
      '..TIME/podName': 'file 644 cart',
      '..TIME/user': 'dir 755',
      '..TIME/user/deep': 'dir 755',
      '..TIME/user/deep/x': 'file 644 x',
      '..TIME/user/labels': 'file 644 l',
      '..data': 'link ..TIME',
      '.hidden': 'link ..data/.hidden',
      podName: 'link ..data/podName',
      user: 'link ..data/user',
    });
    expect(dataFolder()).toMatch(/^\.\.20\d\d_[01]\d_[0-3]\d_[0-2]\d_[0-5]\d_[0-5]\d\.\d{1,10}$/);
  });

  it('holds nothing but ..data where there are no files', async () => {
    await new AtomicWriter(folder, modes).write(new Map());
    expect(tree()).toEqual({ '..TIME': 'dir 755', '..data': 'link ..TIME' });
  });

  it.each([0o000, 0o022, 0o077])('has the same modes under umask %o', async (mask) => {
    process.umask(mask);
    const writer = new AtomicWriter(folder, { folder: 0o2755, file: (mode) => mode | 0o440 });
    await writer.write(files({ 'a/b': 'x' }, 0o666));
    expect(tree()).toEqual({
      '..TIME': 'dir 2755',
      '..TIME/a': 'dir 2755',
      '..TIME/a/b': 'file 666 x',
      '..data': 'link ..TIME',
      a: 'link ..data/a',
    });
  });
});

describe('a new version', () => {
  it.each<[string, Record<string, string>, Record<string, string>, string[]]>([
    ['changes a file', { foo: '1', bar: '2' }, { foo: '3', bar: '2' }, ['bar', 'foo']],
    ['adds a file', { foo: '1' }, { foo: '1', bar: '2' }, ['bar', 'foo']],
    ['removes a file', { foo: '1', bar: '2' }, { foo: '1' }, ['foo']],
    ['removes all', { foo: '1', 'a/b': '2' }, {}, []],
    ['removes one of a folder', { 'a/b': '1', 'a/c': '2' }, { 'a/b': '1' }, ['a']],
    ['removes a folder', { 'a/b': '1', foo: '2' }, { foo: '2' }, ['foo']],
    ['makes a folder of a file', { a: '1' }, { 'a/b': '2' }, ['a']],
    ['makes a file of a folder', { 'a/b': '1' }, { a: '2' }, ['a']],
    ['moves deeper', { 'a/b': '1' }, { 'a/c/d': '1' }, ['a']],
    ['only empties a file', { foo: '1' }, { foo: '' }, ['foo']],
  ])('%s', async (_, before, after, names) => {
    const writer = new AtomicWriter(folder, modes);
    await writer.write(files(before));
    const old = dataFolder();
    expect(await writer.write(files(after))).toBe(true);
    expect(dataFolder()).not.toBe(old);
    expect(
      readdirSync(folder)
        .filter((name) => !name.startsWith('..'))
        .sort(),
    ).toEqual(names);
    expect(readdirSync(folder).filter((name) => name.startsWith('..')).length).toBe(2);
    for (const [path, text] of Object.entries(after)) expect(readFileSync(join(folder, path), 'utf8')).toBe(text);
  });

  it('is not written where nothing has changed', async () => {
    await new AtomicWriter(folder, modes).write(files({ foo: '1', 'a/b': '2' }));
    const before = dataFolder();
    expect(await new AtomicWriter(folder, modes).write(files({ 'a//b': '2', foo: '1' }))).toBe(false);
    expect(dataFolder()).toBe(before);
  });

  it('mends what an interrupted writer left', async () => {
    const writer = new AtomicWriter(folder, modes);
    await writer.write(files({ foo: '1' }));
    rmSync(join(folder, 'foo'));
    symlinkSync('nowhere', join(folder, '..data_tmp'));
    await writer.write(files({ foo: '1' }));
    expect(readFileSync(join(folder, 'foo'), 'utf8')).toBe('1');
    expect(await writer.write(files({ foo: '2' }))).toBe(true);
    expect(readdirSync(folder)).not.toContain('..data_tmp');
  });

  it('is written over one that the user changed or removed', async () => {
    const writer = new AtomicWriter(folder, modes);
    await writer.write(files({ foo: '1' }));
    rmSync(join(folder, dataFolder()), { recursive: true });
    expect(await writer.write(files({ foo: '1' }))).toBe(true);
    expect(readFileSync(join(folder, 'foo'), 'utf8')).toBe('1');
  });

  it('leaves a folder alone that another mount stands on', async () => {
    mkdirSync(join(folder, 'tls'));
    const writer = new AtomicWriter(folder, modes);
    await writer.write(files({ tls: 'x', foo: '1' }));
    expect(lstatSync(join(folder, 'tls')).isDirectory()).toBe(true);
    expect(readlinkSync(join(folder, 'foo'))).toBe('..data/foo');
  });

  it('with a bad path leaves the old one', async () => {
    const writer = new AtomicWriter(folder, modes);
    await writer.write(files({ foo: '1' }));
    await expect(writer.write(files({ foo: '2', '../evil': '3' }))).rejects.toThrow('"../evil" cannot be used');
    await expect(writer.write(files({ foo: '2', 'foo/bar': '3' }))).rejects.toThrow();
    expect(readFileSync(join(folder, 'foo'), 'utf8')).toBe('1');
    expect(readdirSync(folder).length).toBe(3);
  });

  it('is seen whole by a reader at any moment', async () => {
    const writer = new AtomicWriter(folder, modes);
    await writer.write(files({ a: '0', b: '0' }));
    let isWriting = true;
    const torn: string[] = [];
    const reading = (async () => {
      while (isWriting) {
        const root = join(folder, dataFolder());
        try {
          const [a, b] = [readFileSync(join(root, 'a'), 'utf8'), readFileSync(join(root, 'b'), 'utf8')];
          if (a !== b) torn.push(`${a} ${b}`);
        } catch (error) {
          // Removed between the two: a reader that took the old folder; opening through ..data finds the new one.
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
        }
        await new Promise(setImmediate);
      }
    })();
    for (let round = 1; round <= 50; round++) await writer.write(files({ a: `${round}`, b: `${round}` }));
    isWriting = false;
    await reading;
    expect(torn).toEqual([]);
  });
});

describe('where links are forbidden', () => {
  const operations = {
    symlink: async () => {
      throw Object.assign(new Error('EPERM: operation not permitted, symlink'), { code: 'EPERM' });
    },
  };

  it('files are plain, and kept up to date', async () => {
    const writer = new AtomicWriter(folder, modes, operations);
    mkdirSync(join(folder, 'mine'));
    expect(await writer.write(files({ foo: '1', 'a/b': '2' }))).toBe(true);
    expect(writer.isPlain).toBe(true);
    expect(tree()).toEqual({ a: 'dir 755', 'a/b': 'file 644 2', foo: 'file 644 1', mine: 'dir 755' });
    expect(await writer.write(files({ foo: '1', 'a/b': '2' }))).toBe(false);
    expect(await writer.write(files({ foo: '3' }))).toBe(true);
    expect(tree()).toEqual({ foo: 'file 644 3', mine: 'dir 755' });
  });

  it('any other failure is thrown, and leaves nothing', async () => {
    const broken = {
      symlink: async () => {
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      },
    };
    await expect(new AtomicWriter(folder, modes, broken).write(files({ foo: '1' }))).rejects.toThrow('no space');
    expect(readdirSync(folder)).toEqual([]);
  });
});
