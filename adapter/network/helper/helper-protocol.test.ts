import { describe, expect, it } from 'vitest';
import { argumentSchema, clearHostsSchema, setHostsSchema } from './helper-protocol.ts';

const accepts = (address: string, name: string, session = 's1') =>
  setHostsSchema.safeParse({ session, lines: [{ address, names: [name] }] }).success;

describe('what the helper takes', () => {
  it.each(['127.0.0.1', '127.64.1.254', '127.255.255.255'])('takes address %s', (address) => {
    expect(accepts(address, 'prices')).toBe(true);
  });

  it.each([
    '10.0.0.1',
    '127.0.0.256',
    '127.0.0',
    '127.0.0.01',
    '::1',
    '127.0.0.1 ',
    '127.0.0.1\n1.1.1.1',
    '0127.0.0.1',
  ])('refuses address %j', (address) => {
    expect(accepts(address, 'prices')).toBe(false);
  });

  it.each(['prices', 'a.b-c.svc.cluster.local', '0a'])('takes name %s', (name) => {
    expect(accepts('127.64.0.1', name)).toBe(true);
  });

  it.each([
    'localhost',
    'x.localhost',
    'UPPER',
    'a b',
    'a\nb',
    'a#',
    '-a',
    'a-',
    'a..b',
    '.a',
    'a.',
    '',
    'a'.repeat(64),
    `${'a.'.repeat(126)}bc`,
    'é',
  ])('refuses name %j', (name) => {
    expect(accepts('127.64.0.1', name)).toBe(false);
  });

  it.each(['', 'a b', 'a\n', '../a', 'a'.repeat(65)])('refuses session %j', (session) => {
    expect(accepts('127.64.0.1', 'prices', session)).toBe(false);
    expect(clearHostsSchema.safeParse({ session }).success).toBe(false);
  });

  it('refuses what it does not know', () => {
    expect(setHostsSchema.safeParse({ session: 's1', lines: [], file: '/etc/passwd' }).success).toBe(false);
    expect(argumentSchema.safeParse({ version: 1, directory: '/d', uid: 0, run: 'x' }).success).toBe(false);
    expect(argumentSchema.safeParse({ version: 1, directory: 'd', uid: 0 }).success).toBe(false);
  });
});
