/** A session as tests of the view know it. */
import type { Connection } from '../../session/protocol.ts';
import type { ForeignSession, HeldConnection } from '../connections/state.ts';

/** One with something in each group. */
export const exampleConnection: Connection = {
  kind: 'connected',
  session: 'a1b2',
  workload: 'deployment/cart',
  container: 'cart',
  pods: ['cart-7d-2', 'cart-7d-10'],
  network: { mode: 'hosts', reason: 'It needs no question here.' },
  environment: [
    { name: 'REDIS_HOST', value: 'redis', origin: 'container cart', secret: false },
    { name: 'DB_PASSWORD', value: 'hunter2', origin: 'Secret db', secret: true },
    { name: 'BANNER', value: 'two\nlines', origin: 'ConfigMap cart', secret: false },
    { name: 'A_PORT', value: 'tcp://127.64.0.9:80', origin: 'Service a', secret: false },
    { name: 'EMPTY', value: '', origin: 'container cart', secret: false },
  ],
  mounts: [
    { mountPath: '/etc/cart', volume: 'config', kind: 'configMap', localPath: '/mounts/etc/cart', readOnly: true },
    { mountPath: '/data', volume: 'data', kind: 'emptyDir', readOnly: false, note: 'It is larger than 64Mi.' },
  ],
  externalEndpoints: [],
  services: [
    {
      name: 'redis',
      address: '127.64.0.3',
      names: ['redis', 'redis.shop'],
      ports: [{ port: 6379, localPort: 6379 }],
      leadsTo: '10.96.0.3',
    },
    {
      name: 'prices',
      address: '127.64.0.2',
      names: ['prices', 'prices.shop'],
      ports: [
        { port: 80, localPort: 80 },
        { port: 443, localPort: 443 },
      ],
      leadsTo: '10.96.0.2',
    },
  ],
  ports: [{ containerPort: 8080, localPort: 5000 }],
  log: '/logs/session.log',
};

export const exampleHeld: HeldConnection = {
  key: 'k1',
  connection: exampleConnection,
  target: 'service/cart',
  place: 'shop of kind-e2e',
};

/** A session of another program. */
export function exampleForeign(state: ForeignSession['state']): ForeignSession {
  return { key: 'k2', target: 'deployment/web', place: 'shop of kind-e2e', state };
}
