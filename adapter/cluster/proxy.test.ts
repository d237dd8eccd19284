import { expect, test } from 'vitest';
import { proxyFromEnvironment } from './proxy.ts';

const proxy = 'http://proxy.example:3128';

test.each([
  ['https://k8s.example:6443', { HTTPS_PROXY: proxy }, proxy],
  ['https://k8s.example:6443', { https_proxy: proxy }, proxy],
  ['https://k8s.example:6443', { HTTP_PROXY: proxy }, undefined],
  ['http://k8s.example', { HTTP_PROXY: proxy }, proxy],
  ['https://k8s.example', { HTTPS_PROXY: 'proxy.example:3128' }, proxy],
  ['https://k8s.example', {}, undefined],
  ['https://127.0.0.1:6443', { HTTPS_PROXY: proxy }, undefined],
  ['https://localhost:6443', { HTTPS_PROXY: proxy }, undefined],
  ['https://[::1]:6443', { HTTPS_PROXY: proxy }, undefined],
])('%s with %o goes through %s', (server, environment, expected) => {
  expect(proxyFromEnvironment(server, environment)).toBe(expected);
});

test.each([
  ['*', 'k8s.example'],
  ['k8s.example', 'k8s.example'],
  ['example', 'k8s.example'],
  ['.example', 'k8s.example'],
  ['*.example', 'k8s.example'],
  ['other, k8s.example:6443', 'k8s.example'],
  ['10.1.2.3', '10.1.2.3'],
  ['10.0.0.0/8', '10.1.2.3'],
  ['fd00::/8', '[fd00::1]'],
])('NO_PROXY %s excepts %s', (exceptions, host) => {
  expect(proxyFromEnvironment(`https://${host}:6443`, { HTTPS_PROXY: proxy, NO_PROXY: exceptions })).toBeUndefined();
});

test.each([
  ['k8s.example:443', 'k8s.example'],
  ['8s.example', 'k8s.example'],
  ['11.0.0.0/8', '10.1.2.3'],
  ['10.0.0.0/99', '10.1.2.3'],
  ['fd00::/8', '10.1.2.3'],
])('NO_PROXY %s does not except %s', (exceptions, host) => {
  expect(proxyFromEnvironment(`https://${host}:6443`, { HTTPS_PROXY: proxy, NO_PROXY: exceptions })).toBe(proxy);
});
