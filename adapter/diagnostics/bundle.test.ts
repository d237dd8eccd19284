import { createReadStream, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { afterAll, describe, expect, it } from 'vitest';
import { writeBundle } from './bundle.ts';
import { PublicText, shortHost } from './public-text.ts';
import { Redactor } from './redactor.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function unpack(path: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for await (const entry of createReadStream(path).pipe(createGunzip()).pipe(extract())) {
    files.set(entry.header.name, await text(entry));
  }
  return files;
}

describe('the archive', () => {
  it('has the files in one folder and is for its owner alone', async () => {
    const path = join(folder, 'bundle.tar.gz');
    const long = 'grün\n'.repeat(100_000);
    await writeBundle(path, 'diagnosis', [
      { name: 'a.json', text: '{}' },
      { name: 'logs/b.log', text: long },
    ]);
    expect([...(await unpack(path))]).toEqual([
      ['diagnosis/a.json', '{}'],
      ['diagnosis/logs/b.log', long],
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is written over nothing that is there', async () => {
    const path = join(folder, 'there');
    writeFileSync(path, 'mine');
    await expect(writeBundle(path, 'x', [])).rejects.toMatchObject({ code: 'bad-value', why: /EEXIST/ });
    expect(existsSync(path)).toBe(true);
    const none = join(folder, 'none', 'x');
    await expect(writeBundle(none, 'x', [])).rejects.toMatchObject({ code: 'bad-value' });
  });
});

describe('text for strangers', () => {
  const redactor = new Redactor();
  redactor.add('tok_4f9c2b7e61');
  const strangers = new PublicText({
    redactor,
    servers: ['https://api.prod.example.com:6443', 'https://127.0.0.1:4711'],
  });
  const token = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{"sub":"x"}').toString('base64url')}.c2lnbmF0dXJl`;

  it.each([
    ['a known secret', 'x tok_4f9c2b7e61', 'tok_4f9c'],
    ['a JSON web token', `sent ${token} there`, 'c2lnbmF0dXJl'],
    ['a header', 'Authorization: Bearer abcdef123456', 'abcdef'],
    ['a password in a URL', 'postgres://cart:hunter22@db/cart', 'hunter22'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----', 'MIIabc'],
    ['a private key that is cut off', '-----BEGIN PRIVATE KEY-----\\nMIIabc', 'MIIabc'],
    ['what its name tells', 'DB_PASSWORD=hunter22 --api-key=abcd1234', 'hunter22'],
    ['the API server', 'GET https://api.prod.example.com:6443/version', 'prod.example'],
    ['the name of the API server alone', 'no such host api.prod.example.com', 'prod.example'],
    ['an API server on this computer', 'ECONNREFUSED 127.0.0.1:4711', '127.0.0.1'],
  ])('masks %s', (_what, given, gone) => {
    const masked = strangers.text(given);
    expect(masked).not.toContain(gone);
    expect(strangers.lines(given)).not.toContain(gone);
    expect(JSON.stringify(strangers.data({ deep: [given] }))).not.toContain(gone);
  });

  it('keeps what it is about', () => {
    const told = 'Secret keys, key tls.key is missing; right get secrets; 127.0.0.1:8080 is in use';
    expect(strangers.text(told)).toBe(told);
  });

  it('masks what the name tells of data, and leaves the rest of it', () => {
    const data = {
      environment: [
        { name: 'DB_PASSWORD', value: 'short', secret: false },
        { name: 'GREETING', value: 'hello', secret: false },
        { name: 'KEY', value: '«secret, 3 characters»', secret: true },
      ],
      token: 'abc',
      state: 'connected',
    };
    expect(strangers.data(data)).toEqual({
      environment: [
        { name: 'DB_PASSWORD', value: '«redacted»', secret: false },
        { name: 'GREETING', value: 'hello', secret: false },
        { name: 'KEY', value: '«secret, 3 characters»', secret: true },
      ],
      token: '«redacted»',
      state: 'connected',
    });
  });

  it('leaves a log readable line by line, also where one is torn', () => {
    const lines = `${JSON.stringify({ level: 'info', message: 'x tok_4f9c2b7e61', secret: true })}\n{"torn tok_4f9c2b7e61`;
    const [whole = '', torn = ''] = strangers.lines(lines).split('\n');
    expect(JSON.parse(whole)).toEqual({ level: 'info', message: 'x «redacted»', secret: true });
    expect(torn).toBe('{"torn «redacted»');
  });

  it.each([
    ['api.prod.example.com', 'api.…'],
    ['10.1.2.3', '10.…'],
    ['master', 'ma…'],
    ['[fd00::1]', '[fd00:…]'],
    ['127.0.0.1', '127.…'],
  ])('calls %s %s', (host, short) => {
    expect(shortHost(host)).toBe(short);
  });
});
