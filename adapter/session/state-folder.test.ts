import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { logsFolder, sessionFiles } from './state-folder.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-folders-'));
  vi.stubEnv('TMPDIR', folder);
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'));
  vi.stubEnv('KUBERNETES_LOCAL_STATE', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('the folder of the logs', () => {
  const own = () => join(folder, `kubernetes-local-${process.getuid?.()}`);

  it("is in the system's temporary folder, for its owner alone", () => {
    expect(logsFolder()).toBe(join(own(), 'logs'));
    expect(sessionFiles('k').log).toBe(join(own(), 'logs', 'session-k.log'));
    for (const path of [own(), logsFolder()]) expect(lstatSync(path).mode & 0o777).toBe(0o700);
  });

  it('is beneath KUBERNETES_LOCAL_STATE if that is set', () => {
    vi.stubEnv('KUBERNETES_LOCAL_STATE', join(folder, 'mine'));
    expect(logsFolder()).toBe(join(folder, 'mine', 'logs'));
  });

  it.each([
    ['a link', () => symlinkSync(folder, own())],
    [
      'a folder in which others may write',
      () => {
        mkdirSync(own());
        chmodSync(own(), 0o777);
      },
    ],
  ])('is in the state folder if its place is %s', (_what, take) => {
    take();
    expect(logsFolder()).toBe(join(folder, 'state', 'kubernetes-local', 'logs'));
  });
});
