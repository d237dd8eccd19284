import { describe, expect, it } from 'vitest';
import { type Diagnosis, diagnosisSchema, emptyDiagnosis, masked, redacted } from '../diagnostics/diagnosis.ts';
import { Redactor } from '../diagnostics/redactor.ts';
import { versionsHere } from '../diagnostics/versions.ts';
import { describeDiagnosis } from './diagnosis-view.ts';

const secret = 'tok_4f9c2b7e61';
const empty = emptyDiagnosis('none', versionsHere(4), new Date('2026-01-02T03:04:05Z'));
const full: Diagnosis = diagnosisSchema.parse({
  ...emptyDiagnosis('connected', versionsHere(4, 'v1.35.4')),
  session: { key: '0123456789abcdef', id: 'x', started: '2026-01-02T03:04:05.000Z' },
  place: {
    context: 'dev',
    server: 'https://api.example.com:6443',
    user: 'anna',
    namespace: 'shop',
    target: 'cart',
    workload: 'deployment/cart',
    container: 'cart',
  },
  network: { mode: 'hosts', reason: 'You asked for it.', prefix: [], hostsFile: '/etc/hosts' },
  environment: masked([
    { name: 'TOKEN', value: secret, origin: 'Secret keys, key token', secret: true },
    { name: 'TEXT', value: 'two\nlines \u001b[31m', origin: 'container cart', secret: false },
    { name: 'LONG', value: 'x'.repeat(300), origin: 'ConfigMap settings, key LONG', secret: false },
  ]),
  kept: ['PATH', 'HOME'],
  names: [
    {
      label: 'prices',
      names: ['prices', 'prices.shop'],
      address: '127.64.0.1',
      ports: [{ port: 80, localPort: 80, listening: true }],
      leadsTo: '10.0.0.1',
      state: 'open',
      readyEndpoints: 0,
    },
    {
      label: 'db',
      names: ['db'],
      address: '127.64.0.2',
      ports: [{ port: 5432, localPort: 5432, listening: false }],
      state: 'open',
      readyEndpoints: 1,
    },
    { label: 'web', names: ['web'], ports: [], state: 'left out', why: 'Port 80 is in use by nginx.' },
  ],
  mounts: [
    { mountPath: '/etc/cart', volume: 'config', kind: 'configMap', localPath: '/run/x/etc/cart', readOnly: true },
    {
      mountPath: '/data',
      volume: 'data',
      kind: 'emptyDir',
      readOnly: false,
      note: 'It has 2.1 GB, over the limit of 64Mi.',
    },
  ],
  mountsFolder: '/run/x',
  ports: [
    { containerPort: 8080, localPort: 5000, listening: { pid: 42, name: 'python3' } },
    { containerPort: 9090, localPort: 9090 },
  ],
  tunnels: [{ pod: 'cart-1-a', roundTripTime: 12.34, streams: 1, totalStreams: 7, bytesIn: 999, bytesOut: 1_234_567 }],
  changes: [{ where: 'cluster', what: 'Lease x is held.', undo: 'It is deleted.' }],
  processes: [
    { role: 'daemon', pid: 7 },
    { role: 'agent', pod: 'cart-1-a', image: 'agent:1' },
  ],
  rights: { missing: [], optional: ['You may not list endpointslices.'] },
  notices: [{ time: '2026-01-02T03:04:05.000Z', level: 'warning', text: 'Nothing listens.' }],
  logs: ['/tmp/kubernetes-local-0/logs/session-0123456789abcdef.log'],
  problem: { code: 'target-held', what: 'Somebody holds it.', why: 'Bert.', remedy: 'Ask him.' },
  leftovers: [{ key: 'ffff', what: 'web in shop of dev', changes: [{ where: 'computer', what: 'A.', undo: 'B.' }] }],
  findings: [{ subject: 'cluster', outcome: 'ok', text: 'It answers.' }],
});

describe('a diagnosis as text', () => {
  const text = describeDiagnosis(full, { width: 80, all: false });
  const lines = text.split('\n');

  it('fits into 80 columns, but for paths', () => {
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it.each([
    'state       connected',
    'network     mode hosts. You asked for it.',
    '(target-held)',
    '8080 → 127.0.0.1:5000: python3 (pid 42) listens',
    '9090 → 127.0.0.1:9090: nobody listens',
    'open, no ready pods',
    'nobody listens on 5432, 1 ready pod',
    'Port 80 is in use by nginx.',
    '«secret, 14 characters»',
    'two⏎lines ?[31m',
    "The computer's own values stay: PATH, HOME",
    '/etc/cart (configMap config, read-only): /run/x/etc/cart',
    '/data (emptyDir data): left out',
    '12.3 ms, 1 stream open of 7 so far, 999 B from the pod',
    '1.2 MB',
    '→ It is deleted.',
    'agent: pod cart-1-a, image agent:1',
    'You may not list endpointslices.',
    '03:04:05 warning: Nothing listens.',
    'web in shop of dev (ffff)',
    'ok            cluster: It answers.',
  ])('has: %s', (part) => {
    expect(text).toContain(part);
  });

  it('has no secret', () => {
    expect(text).not.toContain(secret);
    expect(JSON.stringify(full)).not.toContain(secret);
  });

  it('leaves out what is empty', () => {
    const titles = describeDiagnosis(empty, { width: 80, all: false })
      .split('\n')
      .filter((line) => /^\S/.test(line));
    expect(titles).toEqual(['Session', 'Versions']);
  });

  it('shows every name only if asked to', () => {
    const names = Array.from({ length: 50 }, (_, index) => ({
      label: `s${index}`,
      names: [`s${index}`],
      ports: [],
      state: 'open' as const,
    }));
    const many = { ...full, names };
    expect(describeDiagnosis(many, { width: 80, all: false })).toContain('and 10 more; --all shows them');
    expect(describeDiagnosis(many, { width: 80, all: true })).toContain('s49');
  });
});

describe('a redacted diagnosis', () => {
  it('has no secret anywhere, and is one whatever the secrets are', () => {
    const redactor = new Redactor();
    for (const each of [secret, 'connected', 'hosts', 'cluster']) redactor.add(each);
    const leaking = { ...full, notices: [{ level: 'info' as const, text: `refused ${secret}` }] };
    const safe = redacted(leaking, redactor);
    expect(JSON.stringify(safe)).not.toContain(secret);
    expect(safe).toMatchObject({
      state: 'connected',
      network: { mode: 'hosts' },
      notices: [{ text: 'refused «redacted»' }],
    });
  });
});
