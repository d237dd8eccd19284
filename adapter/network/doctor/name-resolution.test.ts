import { describe, expect, it } from 'vitest';
import { cachesFinding, judgeSwitch, proxyFinding, switchFinding } from './name-resolution.ts';

describe('nsswitch.conf', () => {
  it.each([
    ['hosts: files dns\n', 'ok'],
    ['passwd: files\nhosts:\t\tfiles mdns4_minimal [NOTFOUND=return] dns # x\n', 'ok'],
    // Fedora, Arch: systemd-resolved reads the hosts file itself.
    ['hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns\n', 'ok'],
    ['hosts: mdns4_minimal [NOTFOUND=return] files dns\n', 'ok'],
    ['hosts: dns files\n', 'limited'],
    ['hosts: ldap [NOTFOUND=continue] files\n', 'limited'],
    ['hosts: dns\n', 'not possible'],
    ['hosts: # files\n', 'not possible'],
    ['# hosts: dns\n', 'ok'],
    ['', 'ok'],
  ])('%j is %s', (text, outcome) => {
    const finding = judgeSwitch(text, '/etc/nsswitch.conf');
    expect(finding.outcome).toBe(outcome);
    expect(finding.remedy === undefined).toBe(outcome === 'ok');
  });

  it('says what comes before the hosts file', () => {
    expect(judgeSwitch('hosts: dns wins files', 'f').text).toContain('Programs ask dns, wins before the hosts file');
  });

  it('need not exist', async () => {
    expect(await switchFinding('/nowhere/nsswitch.conf')).toBeUndefined();
  });
});

describe('caches', () => {
  const has = (...paths: string[]) => cachesFinding(['/opt/bin'], (path) => paths.includes(path));

  it('are told if they can be', () => {
    expect(has()).toMatchObject({ outcome: 'ok', text: 'No cache of names was found.' });
    expect(has('/run/nscd/socket', '/usr/sbin/nscd')).toMatchObject({
      outcome: 'ok',
      text: expect.stringMatching(/nscd will be told/),
    });
    expect(has('/run/systemd/resolve', '/opt/bin/resolvectl').outcome).toBe('ok');
  });

  it('that cannot be told are named', () => {
    expect(has('/run/systemd/resolve', '/run/nscd/socket', '/usr/sbin/nscd')).toMatchObject({
      outcome: 'limited',
      text: expect.stringMatching(/systemd-resolved \(resolvectl is missing\)\./),
    });
  });
});

describe('proxies', () => {
  it.each([
    [{}, 'ok'],
    [{ http_proxy: '' }, 'ok'],
    [{ http_proxy: 'http://p:3128', no_proxy: '*' }, 'ok'],
    [{ HTTP_PROXY: 'http://p:3128' }, 'limited'],
    [{ ALL_PROXY: 'socks5://p' }, 'limited'],
    [{ https_proxy: 'http://p', NO_PROXY: 'localhost,127.0.0.1' }, 'limited'],
    [{ https_proxy: 'http://p', NO_PROXY: '.svc, *.cluster.local,127.0.0.0/8' }, 'ok'],
  ])('%j is %s', (environment, outcome) => {
    expect(proxyFinding(environment).outcome).toBe(outcome);
  });

  it('tell what is missing, and never their password', () => {
    const finding = proxyFinding({ http_proxy: 'http://me:hunter2@p:3128', no_proxy: '.svc' });
    expect(finding.remedy).toContain('Add to NO_PROXY: prices,.cluster.local,127.0.0.0/8');
    expect(JSON.stringify(finding)).not.toContain('hunter2');
  });
});
