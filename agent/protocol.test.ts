import { describe, expect, test } from 'vitest';
import {
  answerLength,
  decodeAnswer,
  decodeBytes,
  decodeHello,
  encodeAnswer,
  encodeBytes,
  encodeHello,
  fileVersion,
  formatAuthority,
  helloLength,
  parseAgentConfiguration,
  parseAuthority,
  pathNames,
  signedBytes,
  status,
} from './protocol.ts';

const configuration = {
  version: 1,
  session: 's1',
  publicKey: 'AAAA',
  tunnelPort: 7000,
  healthPort: 7001,
  ports: [8080],
};

describe('the configuration', () => {
  test('is read from JSON', () => {
    expect(parseAgentConfiguration(JSON.stringify({ ...configuration, later: true }))).toEqual(configuration);
  });

  test('says which files are served', () => {
    const files = { roots: ['/data', '/cache'], writable: ['/data'] };
    expect(parseAgentConfiguration(JSON.stringify({ ...configuration, files })).files).toEqual(files);
  });

  test.each([
    [
      'files without a list',
      JSON.stringify({ ...configuration, files: { roots: '/data', writable: [] } }),
      /files\.roots is not a list/,
    ],
    [
      'a relative root',
      JSON.stringify({ ...configuration, files: { roots: ['data'], writable: [] } }),
      /files\.roots\[0\] is not an absolute path/,
    ],
    [
      'a writable path that is no root',
      JSON.stringify({ ...configuration, files: { roots: [], writable: ['/data'] } }),
      /\/data of files\.writable is not one of files\.roots/,
    ],
    ['not JSON', '{', /^KUBERNETES_LOCAL_AGENT: .*JSON/],
    ['not an object', '[]', /not a JSON object/],
    ['another version', JSON.stringify({ ...configuration, version: 2 }), /version is 2, this agent knows 1/],
    ['no session', JSON.stringify({ ...configuration, session: '' }), /session is not a text/],
    ['no key', JSON.stringify({ ...configuration, publicKey: undefined }), /publicKey is not a text/],
    ['a port as text', JSON.stringify({ ...configuration, tunnelPort: '7000' }), /tunnelPort is not a port/],
    ['port 0', JSON.stringify({ ...configuration, healthPort: 0 }), /healthPort is not a port/],
    ['a list with a wrong port', JSON.stringify({ ...configuration, ports: [80, 65536] }), /ports\[1\] is not a port/],
    ['no list', JSON.stringify({ ...configuration, ports: 80 }), /ports is not a list/],
    ['a port twice', JSON.stringify({ ...configuration, ports: [7001] }), /not all different/],
  ])('with %s is refused with the reason', (_name, json, reason) => {
    expect(() => parseAgentConfiguration(json)).toThrow(reason);
  });
});

describe('the bytes before HTTP/2', () => {
  const nonce = Buffer.alloc(32, 7);
  const tunnelId = Buffer.alloc(16, 3);
  const signature = Buffer.alloc(64, 9);

  test('of a hello come back', () => {
    const bytes = encodeHello(nonce);
    expect(bytes.length).toBe(helloLength);
    expect(decodeHello(bytes).nonce).toEqual(nonce);
  });

  test('of another program are no hello', () => {
    expect(() => decodeHello(Buffer.alloc(helloLength, 'HTTP/1.1 400 '))).toThrow('is not the agent');
  });

  test('of another version name both versions', () => {
    const bytes = encodeHello(nonce);
    bytes.writeUInt8(9, 8);
    expect(() => decodeHello(bytes)).toThrow('version 9 of the tunnel protocol, this program version 1');
  });

  test.each(['outbound', 'inbound'] as const)('of an answer for %s come back', (role) => {
    const bytes = encodeAnswer({ role, tunnelId, signature });
    expect(bytes.length).toBe(answerLength);
    expect(decodeAnswer(bytes)).toEqual({ role, tunnelId, signature });
  });

  test('of a wrong answer become its status', () => {
    const bytes = encodeAnswer({ role: 'inbound', tunnelId, signature });
    bytes.writeUInt8(7, 1);
    expect(decodeAnswer(bytes)).toBe(status.malformed);
    bytes.writeUInt8(2, 0);
    expect(decodeAnswer(bytes)).toBe(status.versionUnknown);
  });

  test('that are signed differ in session, role, tunnel and nonce', () => {
    const variants = [
      signedBytes('a', 'outbound', tunnelId, nonce),
      signedBytes('b', 'outbound', tunnelId, nonce),
      signedBytes('a', 'inbound', tunnelId, nonce),
      signedBytes('a', 'outbound', Buffer.alloc(16, 4), nonce),
      signedBytes('a', 'outbound', tunnelId, Buffer.alloc(32, 8)),
    ].map((bytes) => bytes.toString('hex'));
    expect(new Set(variants).size).toBe(variants.length);
  });
});

test.each([
  ['prices', 80, 'prices:80'],
  ['10.0.0.1', 65535, '10.0.0.1:65535'],
  ['fd00::1', 443, '[fd00::1]:443'],
])('the authority of %s and %d is %s, and back', (host, port, authority) => {
  expect(formatAuthority(host, port)).toBe(authority);
  expect(parseAuthority(authority)).toEqual({ host, port });
});

test.each([undefined, '', 'prices', 'prices:0', 'prices:65536', ':80', 'fd00::1:80'])('%j is no authority', (text) => {
  expect(parseAuthority(text)).toBeUndefined();
});

test('every byte comes back from percent-encoding, and a version tells two states apart', () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1');
  expect(encodeBytes(all)).toMatch(/^[\x21-\x7e]+$/);
  expect(decodeBytes(encodeBytes(all))).toBe(all);
  const file = { path: 'a', kind: 'file', size: 1, mode: 0o644, mtime: '5' } as const;
  const versions = [
    undefined,
    file,
    { ...file, size: 2 },
    { ...file, mtime: '6' },
    { ...file, kind: 'directory' as const },
    { ...file, kind: 'symlink' as const, target: 'a b' },
    { ...file, kind: 'symlink' as const, target: 'a%20b' },
  ].map(fileVersion);
  expect(new Set(versions).size).toBe(versions.length);
});

test.each([
  ['', []],
  ['a', ['a']],
  ['a/..b/...', ['a', '..b', '...']],
  ['/a', undefined],
  ['a/', undefined],
  ['a/../b', undefined],
  ['.', undefined],
  ['a\0', undefined],
])('the path %j has the names %j', (path, names) => {
  expect(pathNames(path)).toEqual(names);
});
