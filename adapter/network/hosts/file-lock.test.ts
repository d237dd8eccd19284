import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownIdentity } from '../../processes/identity.ts';
import { lockFile } from './file-lock.ts';

let folder = '';
let path = '';
const never = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true }));

describe('lockFile', () => {
  it('lets one in at a time and leaves nothing', async () => {
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        await using _lock = await lockFile(path, never);
        most = Math.max(most, ++inside);
        await readdir(folder);
        inside--;
      }),
    );
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('waits for a living holder until the signal', async () => {
    await using _lock = await lockFile(path, never);
    const reason = new Error('enough');
    await expect(lockFile(path, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it.each([
    ['of a pid that runs no more', async () => ({ pid: await deadPid(), start: '1-00000000' })],
    ['of a pid that another process has now', async () => ({ ...ownIdentity(), start: '1-00000000' })],
  ])('breaks the lock %s, many at once', async (_name, holder) => {
    await writeFile(path, JSON.stringify({ ...(await holder()), ticket: 'old' }));
    await writeFile(`${path}.break`, JSON.stringify({ ...(await holder()), ticket: 'older' }));
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        await using _lock = await lockFile(path, never);
        most = Math.max(most, ++inside);
        await readFile(path);
        inside--;
      }),
    );
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('breaks a lock that makes no sense', async () => {
    await writeFile(path, '');
    await using _lock = await lockFile(path, never);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject(ownIdentity());
  });
});

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'close');
  return child.pid ?? Number.NaN;
}
