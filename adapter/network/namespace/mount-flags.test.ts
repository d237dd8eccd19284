import { expect, test } from 'vitest';
import { flagsToKeep } from './mount-flags.ts';

const table = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:30 / /run/user/1000 rw,nosuid,nodev,relatime shared:9 - tmpfs tmpfs rw,mode=700
41 27 0:31 / /data rw - tmpfs tmpfs rw
42 27 0:32 / /my\\040data rw,noexec,noatime - tmpfs tmpfs rw
43 41 0:33 / /data rw,nosuid,noatime,nodiratime - tmpfs tmpfs rw
`;

test('the flags of the mount that is seen at a path are kept', () => {
  expect(flagsToKeep('/run/user/1000', table)).toEqual(['nosuid', 'nodev', 'relatime']);
  expect(flagsToKeep('/data', table)).toEqual(['nosuid', 'noatime', 'nodiratime']);
  expect(flagsToKeep('/my data', table)).toEqual(['noexec', 'noatime']);
});

test('a mount that writes every access time goes on doing so', () => {
  expect(flagsToKeep('/data', table.replace(/^43.*$/m, ''))).toEqual(['strictatime']);
});
