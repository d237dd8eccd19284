import { expect, test } from 'vitest';
import { hostNameVariable, imageVariables } from './image.ts';

const environ = (...entries: readonly string[]) => Buffer.from(entries.map((entry) => `${entry}\0`).join(''));
const values = (bytes: Uint8Array, declared: readonly string[] = []) =>
  Object.fromEntries(imageVariables(bytes, declared, 'shop/cart:1').variables.map(({ name, value }) => [name, value]));

test('what is not declared is the image’s', () => {
  const bytes = environ('PATH=/app:/bin', 'GREETING=hello', 'EMPTY=', 'LINES=a\nb=c', 'HOME=/root', 'HOSTNAME=cart-1');
  expect(imageVariables(bytes, ['GREETING', 'ABSENT'], 'shop/cart:1')).toEqual({
    notes: [],
    variables: [
      { name: 'PATH', value: '/app:/bin', origin: 'image shop/cart:1', secret: false },
      { name: 'EMPTY', value: '', origin: 'image shop/cart:1', secret: false },
      { name: 'LINES', value: 'a\nb=c', origin: 'image shop/cart:1', secret: false },
      { name: 'HOME', value: '/root', origin: 'the container runtime', secret: false },
      { name: 'HOSTNAME', value: 'cart-1', origin: "the pod's host name", secret: false },
    ],
  });
});

test('what is no text is left out and told, its value not', () => {
  const bytes = Buffer.concat([environ('A=1'), Buffer.from('B=secret'), Buffer.of(0xff, 0), environ('C=3')]);
  const { variables, notes } = imageVariables(bytes, [], 'x');
  expect(variables.map(({ name }) => name)).toEqual(['A', 'C']);
  expect(notes).toEqual([expect.stringMatching(/^B of the image is left out/)]);
  expect(notes.join()).not.toContain('secret');
});

test('what is no variable, and an end without NUL, do not disturb', () => {
  expect(values(Buffer.from('=x\0nonsense\0\0A=1'))).toEqual({ A: '1' });
  expect(values(Buffer.alloc(0))).toEqual({});
});

test('variables of a Service that is gone are not the image’s', () => {
  const bytes = environ(
    'OLD_DB_SERVICE_HOST=10.96.0.9',
    'OLD_DB_SERVICE_PORT=5432',
    'OLD_DB_SERVICE_PORT_SQL=5432',
    'OLD_DB_PORT=tcp://10.96.0.9:5432',
    'OLD_DB_PORT_5432_TCP=tcp://10.96.0.9:5432',
    'OLD_DB_PORT_5432_TCP_ADDR=10.96.0.9',
    'OLD_DB_PORTAL=mine',
    'OWN_SERVICE_HOST=mine',
  );
  const { variables, notes } = imageVariables(bytes, [], 'x');
  expect(variables.map(({ name }) => name)).toEqual(['OLD_DB_PORTAL', 'OWN_SERVICE_HOST']);
  expect(notes).toEqual([expect.stringContaining('Service old-db')]);
});

test('the host name is the pod’s, the one it asks for, or the node’s', () => {
  const name = (spec: object, metadata: object = { name: 'cart-7d9', namespace: 'shop' }) =>
    hostNameVariable({ metadata, spec })?.value;
  expect(name({})).toBe('cart-7d9');
  expect(name({ hostname: 'db-0', subdomain: 'db' })).toBe('db-0');
  expect(name({ hostname: 'db-0', subdomain: 'db', setHostnameAsFQDN: true })).toBe('db-0.db.shop.svc.cluster.local');
  expect(name({ hostNetwork: true, nodeName: 'node-1', hostname: 'db-0' })).toBe('node-1');
  expect(name({ hostNetwork: true })).toBeUndefined();
  expect(name({}, { name: `${'a'.repeat(62)}-bcd` })).toBe('a'.repeat(62));
  expect(hostNameVariable({ kind: 'Service' })).toBeUndefined();
});
