import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../diagnostics/log.ts';
import { inClusterApi } from './in-cluster.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-account-'));
  writeFileSync(join(folder, 'ca.crt'), 'certificate\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['10.96.0.1', '443', 'https://10.96.0.1:443'],
  ['fd00::1', '6443', 'https://[fd00::1]:6443'],
])('the API server at %s %s is %s', (host, port, url) => {
  const environment = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port };
  expect(inClusterApi(environment, silentLog, folder).server).toBe(url);
});

test('a token that the kubelet has renewed is used at once', async () => {
  const api = inClusterApi({ KUBERNETES_SERVICE_HOST: '10.96.0.1' }, silentLog, folder);
  for (const token of ['first-token', 'second-token']) {
    writeFileSync(join(folder, 'token'), `${token}\n`);
    const { options } = await api.connectionOptions();
    expect(options.headers).toMatchObject({ Authorization: `Bearer ${token}` });
    expect(options.ca).toBe('certificate');
  }
});

test('outside of a pod it says so', () => {
  expect(() => inClusterApi({}, silentLog, folder)).toThrow('KUBERNETES_SERVICE_HOST is not set');
});
