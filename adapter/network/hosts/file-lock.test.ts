import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
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

/** How many of ten were inside at once, each doing this meanwhile. */
async function mostInside(act: () => Promise<unknown>): Promise<number> {
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      await using _lock = await lockFile(path, never);
      most = Math.max(most, ++inside);
      await act();
      inside--;
    }),
  );
  return most;
}

describe('lockFile', () => {
  it('lets one in at a time and leaves nothing', async () => {
    expect(await mostInside(() => readdir(folder))).toBe(1);
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
    const dead = JSON.stringify({ ...(await holder()), ticket: 'old' });
    await writeFile(path, dead);
    // Those who were to remove it died as well, one after the other.
    const mark = (content: string) => createHash('sha256').update(content).digest('hex').slice(0, 32);
    await writeFile(`${path}.break-${mark(dead)}`, JSON.stringify({ ...(await holder()), ticket: 'older' }));
    await writeFile(`${path}.break-${mark(`${dead} another`)}`, dead);
    expect(await mostInside(() => readFile(path))).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('lets one in at a time when holders die all the time', async () => {
    const dead = { pid: await deadPid(), start: '1-00000000' };
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        for (let round = 0; round < 10; round++) {
          const lock = await lockFile(path, never);
          most = Math.max(most, ++inside);
          await readdir(folder);
          inside--;
          if ((index + round) % 3 === 0)
            await writeFile(path, JSON.stringify({ ...dead, ticket: `${index}-${round}` }));
          else await lock[Symbol.asyncDispose]();
        }
      }),
    );
    expect(most).toBe(1);
    await (await lockFile(path, never))[Symbol.asyncDispose]();
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
