import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { KeyRing, parseGuests } from './key-ring.ts';
import { guestLimit } from './protocol.ts';

const base64 = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');
const pair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { publicKey: base64(publicKey), sign: (bytes: Buffer) => sign(null, bytes, privateKey) };
};
const bytes = Buffer.from('what is signed');

describe('a key ring', () => {
  test('knows the holder, and the guest among several', () => {
    const [holder, ada, ben] = [pair(), pair(), pair()];
    const ring = new KeyRing(holder.publicKey);
    ring.setGuests([
      { publicKey: ada.publicKey, name: 'ada' },
      { publicKey: ben.publicKey, name: 'ben' },
    ]);
    expect(ring.signer('outbound', bytes, holder.sign(bytes))).toBe('holder');
    expect(ring.signer('guest', bytes, ben.sign(bytes))).toEqual({ publicKey: ben.publicKey, name: 'ben' });
  });

  test('gives a guest no other role, and the holder not that of a guest', () => {
    const [holder, ada] = [pair(), pair()];
    const ring = new KeyRing(holder.publicKey);
    ring.setGuests([{ publicKey: ada.publicKey, name: 'ada' }]);
    expect(ring.signer('outbound', bytes, ada.sign(bytes))).toBeUndefined();
    expect(ring.signer('inbound', bytes, ada.sign(bytes))).toBeUndefined();
    expect(ring.signer('guest', bytes, holder.sign(bytes))).toBeUndefined();
    expect(ring.signer('guest', Buffer.from('something else'), ada.sign(bytes))).toBeUndefined();
  });

  test('forgets whom a new list does not name', () => {
    const [holder, ada] = [pair(), pair()];
    const ring = new KeyRing(holder.publicKey);
    ring.setGuests([{ publicKey: ada.publicKey, name: 'ada' }]);
    ring.setGuests([]);
    expect(ring.signer('guest', bytes, ada.sign(bytes))).toBeUndefined();
  });

  test('keeps its list when the new one is refused', () => {
    const [holder, ada] = [pair(), pair()];
    const ring = new KeyRing(holder.publicKey);
    ring.setGuests([{ publicKey: ada.publicKey, name: 'ada' }]);
    const named = (keys: readonly string[]) => keys.map((publicKey) => ({ publicKey, name: 'x' }));
    const rsa = base64(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
    const many = Array.from({ length: guestLimit + 1 }, () => pair().publicKey);
    expect(() => ring.setGuests(named(many))).toThrow(`more than ${guestLimit} guests`);
    expect(() => ring.setGuests(named([rsa]))).toThrow('the key of guest 0 is not an Ed25519 key');
    expect(() => ring.setGuests(named(['AAAA']))).toThrow('the key of guest 0 is not a public key');
    expect(() => ring.setGuests(named([ada.publicKey, ada.publicKey]))).toThrow('a key is there twice');
    expect(() => ring.setGuests(named([`${holder.publicKey}\n`]))).toThrow('a key is there twice');
    expect(ring.guests).toEqual([{ publicKey: ada.publicKey, name: 'ada' }]);
  });

  test('is not made from something else than an Ed25519 key', () => {
    expect(() => new KeyRing('AAAA')).toThrow('publicKey is not a public key');
  });
});

test.each([
  ['{}', 'not a list'],
  ['[1]', 'guest 0 has no publicKey or no name'],
  ['[{"publicKey":"a"}]', 'guest 0 has no publicKey or no name'],
  ['[{"publicKey":"a","name":"b"},{"publicKey":1,"name":"b"}]', 'guest 1 has no publicKey or no name'],
  ['[', 'JSON'],
])('the list %s is refused', (json, reason) => {
  expect(() => parseGuests(json)).toThrow(reason);
});
