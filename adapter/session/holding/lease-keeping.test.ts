import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from '../../cluster/fake-api-server.ts';
import { acquireLease, leaseName } from '../../cluster/lease.ts';
import { silentLog } from '../../diagnostics/log.ts';
import type { Problem } from '../../problem.ts';
import { Outage } from '../agents/outage.ts';
import { Resources } from '../resources.ts';
import { LeaseKeeping } from './lease-keeping.ts';

const target = { workload: { kind: 'Deployment', name: 'cart', namespace: 'shop' } } as const;

interface Stored {
  readonly metadata: object;
  readonly spec: object;
}

/** The Lease as the API server has it; watches say nothing. */
let stored: Stored | undefined;
/** What a heartbeat is answered with, in place of success. */
let refusal: number | undefined;
let server: FakeApiServer;
let ended: AbortController;
let resources: Resources;
let outage: Outage;
let lost: string[];
let hurried: number;
let lease: LeaseKeeping;

const answer = ({ method, path, query, body }: FakeRequest): FakeAnswer => {
  if (query.get('watch') !== null) {
    return (response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.flushHeaders();
    };
  }
  if (method === 'PUT' && refusal !== undefined) return refusal;
  if (method === 'PUT' || method === 'POST') {
    const { metadata, spec } = body as Stored;
    stored = { metadata: { ...metadata, namespace: 'shop', uid: 'u', resourceVersion: '1' }, spec };
    return stored;
  }
  if (path.endsWith('/leases')) return { metadata: { resourceVersion: '1' }, items: stored ? [stored] : [] };
  return stored ?? 404;
};

beforeEach(async () => {
  stored = undefined;
  refusal = undefined;
  server = await FakeApiServer.start(answer);
  ended = new AbortController();
  resources = new Resources();
  lost = [];
  hurried = 0;
  outage = new Outage({ notice: () => {}, probe: () => {}, log: silentLog });
  lease = new LeaseKeeping({
    session: 'a',
    cluster: server.cluster(),
    journal: { append: () => {} },
    outage,
    retries: { hurry: () => void hurried++ },
    resources,
    ended: ended.signal,
    watching: ended.signal,
    onGuests: () => {},
    notice: () => {},
    lost: ({ code }: Problem) => void lost.push(code),
    log: silentLog,
  });
});
afterEach(async () => {
  ended.abort();
  outage.end();
  await resources.free();
  await server[Symbol.asyncDispose]();
});

async function hold(): Promise<void> {
  lease.keep(target, await acquireLease(server.cluster(), target, lease.holder, ended.signal));
}

it('holds nothing before there is a Lease', () => {
  lease.renew();
  expect(lease.isHeld).toBe(false);
  expect(outage.status).toBeUndefined();
});

it('is told to the outage while the API server refuses the heartbeat, and hurries the tunnels when it is over', async () => {
  await hold();
  expect(lease.isHeld).toBe(true);
  refusal = 403;
  lease.renew();
  await vi.waitFor(() => expect(outage.status).toBeDefined());
  expect(hurried).toBe(0);
  refusal = undefined;
  lease.renew();
  await vi.waitFor(() => expect(hurried).toBe(1));
  expect(outage.status).toBeUndefined();
  expect(lost).toEqual([]);
  expect(lease.isFenced).toBe(false);
});

it('is fenced when another session has the Lease', async () => {
  await hold();
  const { metadata, spec } = stored ?? { metadata: {}, spec: {} };
  stored = { metadata: { ...metadata, name: leaseName(target) }, spec: { ...spec, holderIdentity: 'b' } };
  refusal = 409;
  lease.renew();
  await vi.waitFor(() => expect(lost).toContain('session-taken'));
  expect(lease.isFenced).toBe(true);
});
