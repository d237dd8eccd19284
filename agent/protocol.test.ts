import { describe, expect, test } from 'vitest';
import {
  answerRestLength,
  configurationVersion,
  decodeAnswer,
  decodeBytes,
  decodeHello,
  decodeHelloHead,
  encodeAnswer,
  encodeBytes,
  encodeHello,
  fileVersion,
  formatAuthority,
  helloHeadLength,
  helloRestLength,
  parseAgentConfiguration,
  parseAuthority,
  pathNames,
  signedBytes,
} from './protocol.ts';

const configuration = {
  version: 2,
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

  test('of an older version is read', () => {
    expect(parseAgentConfiguration(JSON.stringify({ ...configuration, version: 1 })).version).toBe(1);
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
    [
      'a newer version',
      JSON.stringify({ ...configuration, version: configurationVersion + 1 }),
      /version is 3, this agent knows 1 to 2/,
    ],
    ['no version', JSON.stringify({ ...configuration, version: undefined }), /version is undefined/],
    ['version 0', JSON.stringify({ ...configuration, version: 0 }), /version is 0/],
    ['a version as text', JSON.stringify({ ...configuration, version: '2' }), /version is 2, this agent knows/],
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
  const agentKey = Buffer.alloc(44, 5);
  const versions = { lowest: 3, highest: 5 };
  const hello = { versions, agentKey, nonce };

  test('of a hello come back', () => {
    const bytes = encodeHello(hello);
    expect(bytes.length).toBe(helloHeadLength + helloRestLength(5));
    expect(decodeHelloHead(bytes.subarray(0, helloHeadLength))).toBe(5);
    expect(decodeHello(5, bytes.subarray(helloHeadLength))).toEqual(hello);
  });

  test('of a hello before there was a range come back as one version', () => {
    const old = { versions: { lowest: 2, highest: 2 }, agentKey, nonce };
    const bytes = Buffer.concat([Buffer.from('KLTUNNEL\x02', 'latin1'), agentKey, nonce]);
    expect(decodeHelloHead(bytes.subarray(0, helloHeadLength))).toBe(2);
    expect(bytes.length).toBe(helloHeadLength + helloRestLength(2));
    expect(decodeHello(2, bytes.subarray(helloHeadLength))).toEqual(old);
    expect(encodeHello(old)).toEqual(bytes);
  });

  test('of another program are no hello', () => {
    expect(() => decodeHelloHead(Buffer.alloc(helloHeadLength, 'HTTP/1.1 400 '))).toThrow('is not the agent');
  });

  test.each(['outbound', 'inbound', 'guest'] as const)('of an answer for %s come back', (role) => {
    const bytes = encodeAnswer({ version: 4, role, tunnelId, nonce, signature });
    expect(bytes.length).toBe(1 + answerRestLength);
    expect(bytes.readUInt8(0)).toBe(4);
    expect(decodeAnswer(4, bytes.subarray(1))).toEqual({ version: 4, role, tunnelId, nonce, signature });
  });

  test('of an answer for a role that there is not are none', () => {
    const bytes = encodeAnswer({ version: 3, role: 'inbound', tunnelId, nonce, signature });
    bytes.writeUInt8(7, 1);
    expect(decodeAnswer(3, bytes.subarray(1))).toBeUndefined();
  });

  test('that are signed differ in all that must not be exchanged', () => {
    const greeting = { version: 4, session: 'a', role: 'outbound', tunnelId, hello, daemonNonce: nonce } as const;
    const variants = [
      signedBytes('daemon', greeting),
      signedBytes('agent', greeting),
      signedBytes('daemon', { ...greeting, version: 3 }),
      signedBytes('daemon', { ...greeting, version: 2 }),
      signedBytes('daemon', { ...greeting, hello: { ...hello, versions: { lowest: 3, highest: 4 } } }),
      signedBytes('daemon', { ...greeting, hello: { ...hello, versions: { lowest: 4, highest: 5 } } }),
      signedBytes('daemon', { ...greeting, session: 'b' }),
      signedBytes('daemon', { ...greeting, role: 'inbound' }),
      signedBytes('daemon', { ...greeting, role: 'guest' }),
      signedBytes('daemon', { ...greeting, tunnelId: Buffer.alloc(16, 4) }),
      signedBytes('daemon', { ...greeting, daemonNonce: Buffer.alloc(32, 8) }),
      signedBytes('daemon', { ...greeting, hello: { ...hello, nonce: Buffer.alloc(32, 8) } }),
      signedBytes('daemon', { ...greeting, hello: { ...hello, agentKey: Buffer.alloc(44, 6) } }),
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
