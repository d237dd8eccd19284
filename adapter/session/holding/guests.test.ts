import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import type { Guest } from '../../../agent/protocol.ts';
import type { LeaseGuest } from '../../cluster/lease.ts';
import { silentLog } from '../../diagnostics/log.ts';
import { Guests } from './guests.ts';

const newKey = () =>
  generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
const ownKey = newKey();
const guest = (name: string, publicKey = newKey()): LeaseGuest => ({
  session: name,
  holder: `${name} on desk`,
  publicKey,
  since: '2026-01-01T00:00:00.000Z',
});
const boris = guest('boris');
const cleo = guest('cleo');

/** What each agent was told last. */
let admitted: Map<string, readonly string[]>;
let notices: string[];
let guests: Guests;

const tunnel = (pod: string) => ({
  pod,
  setGuests: async (list: readonly Guest[]) =>
    void admitted.set(
      pod,
      list.map(({ name }) => name),
    ),
});

beforeEach(() => {
  admitted = new Map();
  notices = [];
  guests = new Guests({
    tunnels: () => [tunnel('cart-1'), tunnel('cart-2')],
    ownKey,
    notice: ({ text }) => void notices.push(text),
    log: silentLog,
  });
});

it('all agents admit who is in the Lease, and the user hears of each once', () => {
  guests.set([boris]);
  guests.set([boris, cleo]);
  guests.set([boris, cleo]);
  expect([...admitted.values()]).toEqual(Array(2).fill(['boris on desk', 'cleo on desk']));
  expect(notices).toEqual([
    expect.stringMatching(/^boris on desk shares your session/),
    expect.stringMatching(/^cleo on desk shares your session/),
  ]);
  expect(guests.names).toEqual(['boris on desk', 'cleo on desk']);
});

it('who leaves is admitted no longer, and told', () => {
  guests.set([boris, cleo]);
  guests.set([cleo]);
  guests.set([]);
  expect([...admitted.values()]).toEqual([[], []]);
  expect(notices.slice(2)).toEqual([
    'boris on desk no longer shares your session.',
    'cleo on desk no longer shares your session.',
  ]);
  expect(guests.any).toBe(false);
});

it('nothing is said to agents while nothing changes', () => {
  guests.set([]);
  expect(admitted.size).toBe(0);
});

it('an agent that started again is told', () => {
  guests.set([boris]);
  guests.admitAt(tunnel('cart-3'));
  expect(admitted.get('cart-3')).toEqual(['boris on desk']);
});

it('a bad key, a second entry of a key and our own do not keep the others out', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' });
  guests.set([
    guest('nobody', 'nonsense'),
    guest('rsa', rsa.toString('base64')),
    guest('ourselves', ownKey),
    boris,
    guest('again', boris.publicKey),
    cleo,
  ]);
  expect(guests.names).toEqual(['boris on desk', 'cleo on desk']);
});

it('no more are named than agents admit', () => {
  guests.set(Array.from({ length: 9 }, (_, index) => guest(`guest${index}`)));
  expect(guests.names).toHaveLength(8);
});
