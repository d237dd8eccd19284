import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parseLaunchConfiguration } from '../../launch/configuration.ts';
import { sessionRequest } from './session-request.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-request-'));
  for (const name of ['one', 'two']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'cluster.yaml'), kubeconfig(name));
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function kubeconfig(name: string): string {
  return JSON.stringify({
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: `https://${name}.test` } }],
    users: [{ name, user: {} }],
  });
}

const asked = (written: object) =>
  sessionRequest(parseLaunchConfiguration({ target: 'cart', ...written }, 'the test'), false).request;

it.each(['one', 'two'])('a relative kubeconfig is in the working folder, whoever reads it: %s', (name) => {
  const written = { kubeconfig: 'cluster.yaml', delegate: { type: 'node', cwd: join(folder, name) } };
  expect(asked(written)).toMatchObject({ context: name, kubeconfig: join(folder, name, 'cluster.yaml') });
});

it('each path of a list is made absolute', () => {
  const list = ['one', 'two'].map((name) => join(name, 'cluster.yaml')).join(delimiter);
  const written = { kubeconfig: list, context: 'two', delegate: { type: 'node', cwd: folder } };
  const paths = ['one', 'two'].map((name) => join(folder, name, 'cluster.yaml'));
  expect(asked(written)).toMatchObject({ context: 'two', kubeconfig: paths.join(delimiter) });
});

it('a relative path in the variable KUBECONFIG is seen from the folder of this process', () => {
  const path = join(folder, 'one', 'cluster.yaml');
  vi.stubEnv('KUBECONFIG', relative(process.cwd(), path));
  expect(asked({ delegate: { type: 'node', cwd: join(folder, 'two') } }).kubeconfig).toBe(path);
});

it.each([
  [undefined, undefined],
  [false, undefined],
  [true, 'v2'],
  ['v1', 'v1'],
  ['v2', 'v2'],
])('a program is told who calls by the PROXY protocol: %j is %s', (proxyProtocol, version) => {
  const kubeconfig = join(folder, 'one', 'cluster.yaml');
  expect(asked({ kubeconfig, ...(proxyProtocol !== undefined && { proxyProtocol }) }).proxyProtocol).toBe(version);
});
