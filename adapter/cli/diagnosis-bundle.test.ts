import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { emptyDiagnosis, masked } from '../diagnostics/diagnosis.ts';
import { FileLog, type Log } from '../diagnostics/log.ts';
import { Redactor } from '../diagnostics/redactor.ts';
import { versionsHere } from '../diagnostics/versions.ts';
import { knownSessions } from '../session/client/known-sessions.ts';
import { Journal, type SessionAct } from '../session/journal/journal.ts';
import { sessionFiles } from '../session/state-folder.ts';
import { bundleDiagnosis } from './diagnosis-bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  vi.stubEnv('KUBERNETES_LOCAL_STATE', join(folder, 'state'));
  vi.stubEnv('KUBERNETES_LOCAL_HOSTS_FILE', join(folder, 'hosts'));
  writeFileSync(join(folder, 'hosts'), '127.0.0.1 localhost\n');
});
afterEach(() => vi.unstubAllEnvs());

const { signal } = new AbortController();
const key = '0123456789abcdef';
/** What must be found nowhere: of a Secret, of the kubeconfig, of a literal, of a log from before it was known. */
const planted = {
  secret: 'tok_4f9c2b7e61',
  kubeconfig: 'kubeconfig-token-8d1f',
  literal: 'literal-0c77ab',
  early: 'early-55e0d1',
  server: 'prod.example.com',
};

/** A kubeconfig whose server cannot be reached. */
function kubeconfig(): string {
  const path = join(folder, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'dev',
    clusters: [{ name: 'dev', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'anna', user: { token: planted.kubeconfig } }],
    contexts: [{ name: 'dev', context: { cluster: 'dev', user: 'anna', namespace: 'shop' } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

const session: SessionAct = {
  act: 'session',
  version: 1,
  id: 'x',
  started: '2026-01-02T03:04:05.000Z',
  pid: 1,
  context: 'dev',
  namespace: 'shop',
  target: 'service/cart',
};

function plant(): void {
  const files = sessionFiles(key);
  using journal = new Journal(files.journal);
  journal.append(session);
  const args = [`--token=${planted.literal}`];
  const original = { spec: { containers: [{ name: 'cart', image: 'cart:1', args }] } };
  journal.append({
    act: 'replacement',
    record: {
      version: 1,
      session: 'x',
      workload: { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'u' },
      container: 'cart',
      pods: {},
      image: 'agent:1',
      changes: [{ at: 'container', field: 'args', before: args, after: null }],
      original,
      readyBefore: 1,
      plannedAt: session.started,
      notes: [],
    },
  });
  using log = new FileLog(files.log, 'daemon');
  log.write('info', `too early: ${planted.early}, Authorization: Bearer ${planted.literal}`);
  log.write('info', `asked https://api.${planted.server}:6443/version`, { password: planted.literal });
}

it('has nothing in it that strangers must not see, and all that a bug report needs', async () => {
  plant();
  const log: Log = { redactor: new Redactor(), write: () => {} };
  for (const each of [planted.secret, planted.early, planted.kubeconfig]) log.redactor.add(each);
  const environment = masked([
    { name: 'TOKEN', value: planted.secret, origin: 'Secret keys, key token', secret: true },
    { name: 'URL', value: `redis://u:${planted.literal}@db/0`, origin: 'container cart', secret: false },
    { name: 'DB_PASSWORD', value: planted.literal, origin: 'container cart', secret: false },
    { name: 'GREETING', value: 'hello', origin: 'ConfigMap settings, key GREETING', secret: false },
  ]);
  const server = `https://api.${planted.server}:6443`;
  const path = join(folder, 'bundle.tar.gz');
  const said: string[] = [];
  await bundleDiagnosis(
    {
      diagnosis: {
        ...emptyDiagnosis('interrupted', versionsHere(4)),
        place: { context: 'dev', server, namespace: 'shop', target: 'cart' },
        environment,
        notices: [{ level: 'warning', text: `refused ${planted.secret} at ${server}` }],
      },
      key,
      place: { kubeconfig: kubeconfig(), target: 'cart' },
      known: await knownSessions(),
      log,
      path,
      say: (line) => said.push(line),
    },
    signal,
  );
  const files = new Map<string, string>();
  for await (const entry of createReadStream(path).pipe(createGunzip()).pipe(extract())) {
    files.set(entry.header.name.replace(/^[^/]+\//, ''), await text(entry));
  }
  const names = ['diagnosis.json', 'diagnosis.txt', 'doctor.json', `logs/session-${key}.log`, `journals/${key}.jsonl`];
  expect([...files.keys()]).toEqual(names);
  for (const [name, content] of files) {
    for (const [what, value] of Object.entries(planted)) {
      for (const form of [value, Buffer.from(value).toString('base64'), encodeURIComponent(value)]) {
        expect(content.includes(form), `${what} in ${name}`).toBe(false);
      }
    }
  }
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const diagnosis: unknown = JSON.parse(files.get('diagnosis.json') ?? '');
  expect(diagnosis).toMatchObject({
    place: { server: 'https://api.…' },
    environment: [
      { value: '«secret, 14 characters»' },
      { value: 'redis://u:«redacted»@db/0' },
      { value: '«redacted»' },
      { value: 'hello' },
    ],
  });
  expect(files.get('diagnosis.txt')).toContain('GREETING');
  expect(JSON.parse(files.get('doctor.json') ?? '')).toMatchObject({ cluster: [{ outcome: 'not possible' }] });
  expect(files.get(`journals/${key}.jsonl`)).toContain('"field":"args"');
  expect(files.get(`logs/session-${key}.log`)).toContain('too early: «redacted»');
  for (const name of names) expect(said.some((line) => line.includes(name))).toBe(true);
  expect(said.at(-2)).toContain(path);
});
