import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeApiServer } from '../cluster/fake-api-server.ts';
import { FileLog } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import { type DiagnosisSource, takeDiagnosis, takeLogs } from './diagnosis.ts';
import { Journal } from './journal/journal.ts';
import type { Connection, Status } from './protocol.ts';
import { sessionFiles } from './state-folder.ts';

const state = mkdtempSync(join(tmpdir(), 'kubernetes-local-diagnosis-'));
afterAll(() => rmSync(state, { recursive: true }));
beforeEach(() => vi.stubEnv('KUBERNETES_LOCAL_STATE', state));
afterEach(() => vi.unstubAllEnvs());

const { signal } = new AbortController();
const secret = 'tok_4f9c2b7e61';
const idle: Status = {
  state: 'idle',
  session: 'x',
  pid: 7,
  started: '2026-01-02T03:04:05.000Z',
  clients: [],
  kept: [],
};

/** An API server with two Services, one of them without a ready pod. */
function serve(): Promise<FakeApiServer> {
  const slice = (name: string, ready: boolean) => ({
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      resourceVersion: '1',
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.1.0.5'], conditions: { ready }, targetRef: { kind: 'Pod', name: `${name}-1` } }],
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
  });
  return FakeApiServer.start(({ path, body }) => {
    if (path.endsWith('/endpointslices')) {
      return { metadata: { resourceVersion: '1' }, items: [slice('prices', true), slice('web', false)] };
    }
    if (path.endsWith('/selfsubjectaccessreviews')) {
      const { resourceAttributes } = (body as { spec: { resourceAttributes: { resource: string } } }).spec;
      return { status: { allowed: resourceAttributes.resource !== 'endpointslices' } };
    }
    return 404;
  });
}

async function source(log: FileLog, api: FakeApiServer, port: number): Promise<DiagnosisSource> {
  const files = sessionFiles('0123456789abcdef');
  const service = { names: ['prices'], ports: [{ port: 80, localPort: port }], leadsTo: '10.0.0.1' };
  const standing: NonNullable<Status['connection']> = {
    workload: 'deployment/cart',
    container: 'cart',
    pods: [],
    network: { mode: 'env', reason: 'You asked for it.' },
    services: [
      { ...service, name: 'prices', address: '127.0.0.1' },
      { ...service, name: 'web', address: '127.0.0.1', ports: [{ port: 80, localPort: 1 }] },
    ],
    leftOut: [{ name: 'db', names: ['db'], why: 'Port 5432 is in use.' }],
    ports: [
      { containerPort: 8080, localPort: port },
      { containerPort: 9090, localPort: 1 },
    ],
    helper: { pid: 9 },
  };
  const connection = {
    kind: 'connected',
    session: 'x',
    workload: 'deployment/cart',
    container: 'cart',
    environment: [
      { name: 'TOKEN', value: secret, origin: 'Secret keys, key token', secret: true },
      { name: 'URL', value: `http://u:${secret}@db/`, origin: 'container cart', secret: false },
      { name: 'PATH', value: '/pod/bin', origin: 'image', secret: false },
    ],
    mounts: [{ mountPath: '/etc/x', volume: 'x', kind: 'secret', localPath: '/run/x/etc/x', readOnly: true }],
    mountsFolder: '/run/x',
  } as unknown as Connection;
  return {
    files,
    status: { ...idle, state: 'connected', clients: [8], connection: standing },
    request: {
      target: 'cart',
      context: 'dev',
      namespace: 'shop',
      otherNamespaces: [],
      agentImage: 'agent:1',
      onUnresolved: 'fail',
    } as unknown as DiagnosisSource['request'],
    inside: {
      cluster: api.cluster(),
      target: undefined,
      connection,
      tunnels: [
        { pod: 'cart-1', roundTripTime: 3, statistics: { streams: 1, opened: 5, bytesIn: 10, bytesOut: 20 } },
        { pod: 'cart-2', roundTripTime: undefined, statistics: { streams: 0, bytesIn: 0, bytesOut: 0 } },
      ],
      programs: [11],
    },
    problem: new Problem({ code: 'tunnel-failed', what: `No tunnel, says ${secret}.`, why: '', remedy: '' }),
    notices: [{ time: '2026-01-02T03:04:05.000Z', level: 'info', text: `seen ${secret}` }],
    log,
  };
}

describe('the diagnosis of a session', () => {
  it('has all that its daemon knows, and no secret', async () => {
    await using api = await serve();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const files = sessionFiles('0123456789abcdef');
    using log = new FileLog(files.log, 'test');
    log.redactor.add(secret);
    using journal = new Journal(files.journal);
    journal.append({ act: 'lease', name: 'kubernetes-local-cart' });
    const diagnosis = await takeDiagnosis(await source(log, api, port), signal);
    server.close();
    expect(diagnosis).toMatchObject({
      version: 1,
      state: 'connected',
      session: { key: '0123456789abcdef', id: 'x' },
      versions: { cluster: 'v1.35.4', node: process.version },
      place: { context: 'dev', user: 'anna', namespace: 'shop', target: 'cart', workload: 'deployment/cart' },
      network: { mode: 'env', reason: 'You asked for it.', prefix: [] },
      environment: [
        { name: 'TOKEN', value: '«secret, 14 characters»', origin: 'Secret keys, key token' },
        { name: 'URL', value: 'http://u:«redacted»@db/' },
        { name: 'PATH', value: '/pod/bin' },
      ],
      kept: ['PATH'],
      names: [
        { label: 'prices', state: 'open', readyEndpoints: 1, ports: [{ port: 80, localPort: port }] },
        { label: 'web', state: 'open', readyEndpoints: 0 },
        { label: 'db', state: 'left out', why: 'Port 5432 is in use.' },
      ],
      mounts: [{ mountPath: '/etc/x', localPath: '/run/x/etc/x' }],
      mountsFolder: '/run/x',
      ports: [
        { containerPort: 8080, listening: { pid: process.pid } },
        { containerPort: 9090, localPort: 1 },
      ],
      tunnels: [
        { pod: 'cart-1', roundTripTime: 3, streams: 1, totalStreams: 5, bytesIn: 10, bytesOut: 20 },
        { pod: 'cart-2', streams: 0 },
      ],
      changes: [{ where: 'cluster', what: expect.stringContaining('kubernetes-local-cart') }],
      processes: [
        { role: 'daemon', pid: 7 },
        { role: 'helper', pid: 9 },
        { role: 'client', pid: 8 },
        { role: 'program', pid: 11 },
        { role: 'agent', pod: 'cart-1', image: 'agent:1' },
        { role: 'agent', pod: 'cart-2' },
      ],
      rights: { missing: [], optional: expect.arrayContaining([expect.stringContaining('endpointslices')]) },
      problem: { code: 'tunnel-failed', what: 'No tunnel, says «redacted».' },
      logs: [files.log],
    });
    expect(diagnosis.ports[1]).not.toHaveProperty('listening');
    if (process.platform === 'linux') {
      expect(diagnosis.names[0]?.ports[0]?.listening).toBe(true);
      expect(diagnosis.names[1]?.ports[0]?.listening).toBe(false);
    }
    expect(JSON.stringify(diagnosis)).not.toContain(secret);
  });

  it('has gaps where the cluster does not answer', async () => {
    const api = await serve();
    const files = sessionFiles('0123456789abcdef');
    using log = new FileLog(files.log, 'test');
    const all = await source(log, api, 1);
    await api[Symbol.asyncDispose]();
    const diagnosis = await takeDiagnosis(all, signal);
    expect(diagnosis.state).toBe('connected');
    expect(diagnosis.rights).toBeUndefined();
    expect(diagnosis.names[0]).not.toHaveProperty('readyEndpoints');
  });

  it('is there before anything is', async () => {
    const files = sessionFiles('fedcba9876543210');
    using log = new FileLog(files.log, 'test');
    const nothing = { request: undefined, inside: undefined, problem: undefined, notices: [] };
    const diagnosis = await takeDiagnosis({ files, status: idle, log, ...nothing }, signal);
    expect(diagnosis).toMatchObject({ state: 'idle', environment: [], names: [], changes: [], logs: [files.log] });
  });
});

it('the logs are redacted with what is known now', () => {
  const files = sessionFiles('aaaaaaaaaaaaaaaa');
  using log = new FileLog(files.log, 'test');
  log.write('info', `before it is known: ${secret}`);
  log.redactor.add(secret);
  const [only] = takeLogs(files, log);
  expect(only).toMatchObject({ name: 'session-aaaaaaaaaaaaaaaa.log', text: expect.stringContaining('«redacted»') });
  expect(only?.text).not.toContain(secret);
});
