import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Problem } from '../../problem.ts';
import type { ElevationWay } from '../helper/elevation.ts';
import { systemHostsFile } from '../platform/platform-commands.ts';
import { examineWorkstation, privilegesFinding } from './examination.ts';
import { limited, notPossible, ok } from './finding.ts';
import { judgeDescriptors, loopbackFinding, serviceAddressesFinding, wildcardsFinding } from './listening.ts';
import { autoFinding, type Verdict, verdicts } from './verdicts.ts';

const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const forbidden = new Problem({
  code: 'namespace-unavailable',
  what: 'No private network can be made here.',
  why: 'user.max_user_namespaces is 0.',
  remedy: 'Allow it.',
});

async function examine(way: ElevationWay['way'], obstacle: Problem | undefined, pasta: boolean, hostsFile: string) {
  return examineWorkstation(signal, {
    hostsFile,
    environment: {},
    elevation: async () => ({ way, reason: 'Because.' }),
    namespaceObstacle: async () => obstacle,
    hasPasta: () => pasta,
  });
}

const outcomes = (modes: readonly Verdict[]) =>
  Object.fromEntries(modes.map(({ mode, finding }) => [mode, finding.outcome]));

describe('examineWorkstation', () => {
  const system = systemHostsFile();

  it.each([
    ['direct', undefined, true, { hosts: 'ok', namespace: 'ok', env: 'limited' }, 'Network mode hosts'],
    ['graphical', undefined, true, { hosts: 'limited', namespace: 'ok', env: 'limited' }, 'Network mode namespace'],
    ['graphical', undefined, false, { hosts: 'limited', namespace: 'limited', env: 'limited' }, 'Network mode hosts'],
    [undefined, undefined, false, { hosts: 'not possible', namespace: 'limited', env: 'limited' }, 'mode namespace'],
    [undefined, forbidden, true, { hosts: 'not possible', namespace: 'not possible', env: 'limited' }, 'mode env'],
  ] as const)('with elevation %s, obstacle %s, pasta %s', async (way, obstacle, pasta, expected, taken) => {
    const { modes, auto } = await examine(way, obstacle, pasta, system);
    expect(outcomes(modes)).toEqual(expected);
    expect(auto.text).toContain(taken);
  });

  it('says why a mode is not possible, and what to do', async () => {
    const { modes, auto } = await examine(undefined, forbidden, true, system);
    const finding = modes.find(({ mode }) => mode === 'namespace')?.finding;
    expect(finding).toMatchObject({ text: 'user.max_user_namespaces is 0.', remedy: 'Allow it.' });
    expect(auto.text).toContain('Mode namespace is not possible: user.max_user_namespaces is 0.');
    expect(auto.text).toContain('Mode hosts is not possible: The hosts file cannot be changed from here. Because.');
  });

  it('looks at the hosts file it is told to', async () => {
    const path = join(folder, 'hosts');
    writeFileSync(path, Buffer.from([0xff, 0xfe]));
    const { findings, modes } = await examine('direct', undefined, true, path);
    expect(outcomes(modes).hosts).toBe('not possible');
    expect(findings.find(({ subject }) => subject === 'hosts file')?.text).toContain('UTF-16');
  });

  it('looks at this very computer', async () => {
    const { findings, modes, auto } = await examineWorkstation(signal);
    expect(modes).toHaveLength(3);
    expect(findings.length).toBeGreaterThan(8);
    expect(auto.text).toMatch(/^Network mode \w+, because /);
    for (const { text } of findings) expect(text).toMatch(/[.)]$/);
  });
});

it('a test’s hosts file needs no privileges', () => {
  const way = { way: undefined, reason: 'There is no sudo here.' };
  expect(privilegesFinding(way, true).outcome).toBe('ok');
  expect(privilegesFinding(way, false)).toMatchObject({
    outcome: 'not possible',
    text: expect.stringMatching(/There is no sudo here/),
  });
});

describe('verdicts', () => {
  const fine = ok('x', 'Fine.');
  const grounds = {
    hostsFile: fine,
    nameResolution: undefined,
    addresses: fine,
    privileges: fine,
    namespace: fine,
    loopback: fine,
  };

  it('stand on the worst ground', () => {
    const mixed = verdicts({
      ...grounds,
      hostsFile: notPossible('h', 'It is immutable.', 'Make it mutable.'),
      nameResolution: limited('n', 'DNS comes first.', 'Put files first.'),
    });
    expect(mixed[0]?.finding).toMatchObject({
      outcome: 'not possible',
      text: 'It is immutable.',
      remedy: 'Make it mutable.',
    });
    expect(mixed[1]?.finding).toMatchObject({ outcome: 'limited', remedy: 'Put files first.' });
    expect(mixed[1]?.finding.text).toMatch(/^Programs that kubernetes-local starts .* DNS comes first\.$/);
  });

  it('leave nothing where nothing works', () => {
    const broken = notPossible('x', 'Broken.');
    const none = verdicts({ ...grounds, hostsFile: broken, namespace: broken, loopback: broken });
    const auto = autoFinding(none, { platform: 'linux', elevation: 'direct', pasta: true });
    expect(auto).toMatchObject({ outcome: 'not possible', text: 'No mode works here.' });
  });

  it('know that there is no private network on macOS', () => {
    const auto = autoFinding(verdicts({ ...grounds, privileges: limited('p', 'Asks.') }), {
      platform: 'darwin',
      elevation: 'graphical',
      pasta: false,
    });
    expect(auto.text).toContain('Network mode hosts');
  });
});

describe('listeners', () => {
  it('can be opened on the addresses of this computer', async () => {
    expect(await loopbackFinding()).toMatchObject({ outcome: 'ok' });
    expect(await serviceAddressesFinding()).toMatchObject({ outcome: 'ok' });
  });

  it('of others on all addresses are named', async () => {
    const server = createServer().listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const found = await wildcardsFinding([port]);
    expect(found).toMatchObject({ outcome: 'limited', text: expect.stringContaining(`pid ${process.pid}`) });
    await new Promise((resolve) => server.close(resolve));
    expect(await wildcardsFinding([port])).toMatchObject({ outcome: 'ok' });
    const one = createServer().listen(port, '127.0.0.1');
    await once(one, 'listening');
    expect(await wildcardsFinding([port])).toMatchObject({ outcome: 'ok' });
    await new Promise((resolve) => one.close(resolve));
  });

  it('are limited by descriptors', () => {
    expect(judgeDescriptors(1_024, 900)).toMatchObject({
      outcome: 'limited',
      text: expect.stringContaining('about 900'),
    });
    expect(judgeDescriptors(65_536, 65_306).outcome).toBe('ok');
    expect(judgeDescriptors(64, 0).text).toContain('about 0');
  });
});
