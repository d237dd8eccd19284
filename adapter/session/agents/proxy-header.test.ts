import { describe, expect, it } from 'vitest';
import { type Endpoint, proxyHeader } from './proxy-header.ts';

const caller: Endpoint = { address: '10.244.0.17', port: 40_212 };
const pod: Endpoint = { address: '10.244.0.9', port: 8080 };
const caller6: Endpoint = { address: '2001:db8::ff00:42:8329', port: 40_212 };
const pod6: Endpoint = { address: 'fd00:10:244::9', port: 8080 };
const nobody: Endpoint = { address: '', port: 0 };

// The twelve bytes with which every header of version 2 begins.
const signature = '0d0a0d0a000d0a515549540a';

describe('version 1', () => {
  it.each([
    ['IPv4', caller, pod, 'PROXY TCP4 10.244.0.17 10.244.0.9 40212 8080\r\n'],
    ['IPv6', caller6, pod6, 'PROXY TCP6 2001:db8::ff00:42:8329 fd00:10:244::9 40212 8080\r\n'],
    [
      'an address with a zone',
      { address: 'fe80::1%eth0', port: 1 },
      pod6,
      'PROXY TCP6 fe80::1 fd00:10:244::9 1 8080\r\n',
    ],
    ['an unknown caller', nobody, pod, 'PROXY UNKNOWN\r\n'],
    ['an unknown destination', caller, nobody, 'PROXY UNKNOWN\r\n'],
    ['two families', caller, pod6, 'PROXY UNKNOWN\r\n'],
    ['what is no address', { address: '10.0.0.1 1\r\nGET', port: 1 }, pod, 'PROXY UNKNOWN\r\n'],
  ])('%s', (_name, source, destination, text) => {
    expect(proxyHeader('v1', source, destination).toString('latin1')).toBe(text);
  });
});

describe('version 2', () => {
  it.each([
    ['IPv4', caller, pod, '2111000c0af400110af400099d141f90'],
    ['IPv6', caller6, pod6, '2121002420010db8000000000000ff0000428329fd000010024400000000000000000009' + '9d141f90'],
    [
      'IPv6 that ends as IPv4, and all zeros',
      { address: '::ffff:1.2.3.4', port: 1 },
      { address: '::', port: 65_535 },
      `21210024${'00'.repeat(10)}ffff01020304${'00'.repeat(16)}0001ffff`,
    ],
    [
      'IPv6 written in full, and with zeros at its end',
      { address: '1:2:3:4:5:6:7:8', port: 1 },
      { address: '1:2::', port: 2 },
      `2121002400010002000300040005000600070008${'00010002'}${'00'.repeat(12)}00010002`,
    ],
    ['an unknown caller', nobody, pod, '20000000'],
    ['two families', caller, pod6, '20000000'],
  ])('%s', (_name, source, destination, hex) => {
    expect(proxyHeader('v2', source, destination).toString('hex')).toBe(signature + hex);
  });
});
