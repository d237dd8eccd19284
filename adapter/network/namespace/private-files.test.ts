import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownIdentity } from '../../processes/identity.ts';
import { withBlock } from '../hosts/hosts-file.ts';
import { privateHosts, privateResolver } from './private-files.ts';

describe('privateHosts', () => {
  const entries = [{ address: '10.96.0.50', names: ['prices', 'prices.shop'] }];
  const users = '127.0.0.1\tlocalhost # m\u00fcnchen\n1.2.3.4 old.example\n';
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'private-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const made = async (bytes: Buffer) => {
    const path = join(folder, 'hosts');
    await writeFile(path, bytes);
    const { content, shadowed } = privateHosts(path, bytes, entries);
    return { text: content.toString('latin1'), shadowed };
  };

  it("puts our names behind the user's lines, whose bytes stay", async () => {
    const { text, shadowed } = await made(Buffer.from(users, 'latin1'));
    expect(text.startsWith(users)).toBe(true);
    expect(text).toContain('\n10.96.0.50 prices prices.shop ');
    expect(text).toContain('\n::ffff:10.96.0.50 prices prices.shop ');
    expect(shadowed).toEqual([]);
  });

  it('puts them first where the user has one of them', async () => {
    const { text, shadowed } = await made(Buffer.from(`${users}5.6.7.8 PRICES\n`, 'latin1'));
    expect(text).toMatch(/^# BEGIN/);
    expect(shadowed).toEqual([{ name: 'prices', address: '5.6.7.8' }]);
  });

  it("leaves out other sessions' blocks, whose addresses lead nowhere inside", async () => {
    const other = {
      session: 's1',
      owner: ownIdentity(),
      entries: [{ address: '127.64.0.9', names: ['prices', 'cart'] }],
    };
    const { text, shadowed } = await made(withBlock(Buffer.from(users, 'latin1'), other, 'last'));
    expect(text).not.toContain('127.64.0.9');
    expect(shadowed).toEqual([]);
  });
});

describe('privateResolver', () => {
  const stub = '# stub\nnameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n';

  it("takes the forwarder's address for name servers on the computer's loopback", () => {
    expect(privateResolver(stub, '169.254.77.53')).toBe(
      'nameserver 169.254.77.53\n# stub\noptions edns0 trust-ad\nsearch lan\n',
    );
    expect(privateResolver('nameserver ::1\nnameserver 1.1.1.1\n', '169.254.77.53')).toBe(
      'nameserver 169.254.77.53\nnameserver 1.1.1.1\n',
    );
  });

  it('takes it where none is named, for then that of the computer is meant', () => {
    expect(privateResolver('search lan\n', '169.254.77.53')).toBe('nameserver 169.254.77.53\nsearch lan\n');
  });

  it('leaves the rest as it is', () => {
    const plain = 'nameserver 10.0.0.2\nnameserver fd00::53\n';
    expect(privateResolver(plain, '169.254.77.53')).toBe(plain);
    expect(privateResolver(stub, undefined)).toBe(stub);
  });
});
