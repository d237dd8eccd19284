/** The commands of all systems, as data: macOS and Windows are not tried, only what would be run there. */
import { describe, expect, it } from 'vitest';
import { LoopbackAliases } from './loopback-aliases.ts';
import { type Command, platformCommands } from './platform-commands.ts';
import { flushResolverCaches } from './resolver-cache.ts';
import { type CommandEnd, type RunCommand, runCommand } from './run-command.ts';

const { signal } = new AbortController();

/** macOS' lo0 as ifconfig shows and changes it. */
function fakeInterface(addresses: string[]): { run: RunCommand; changes: string[] } {
  const changes: string[] = [];
  const run: RunCommand = async ([program, , verb, address = '']) => {
    expect(program).toBe('/sbin/ifconfig');
    const ok: CommandEnd = { code: 0, stdout: '', stderr: '' };
    if (verb === undefined) {
      const lines = addresses.map((each) => `\tinet ${each} netmask 0xff000000 `);
      return {
        ...ok,
        stdout: `lo0: flags=8049<UP,LOOPBACK>\n\toptions=1203\n\tinet6 ::1 prefixlen 128 \n${lines.join('\n')}\n`,
      };
    }
    changes.push(`${verb} ${address}`);
    if (verb === 'alias') addresses.push(address);
    else addresses.splice(addresses.indexOf(address), 1);
    return ok;
  };
  return { run, changes };
}

describe('loopback aliases on macOS', () => {
  it('are added where they are missing, and only those are removed', async () => {
    const lo0 = fakeInterface(['127.0.0.1', '127.64.0.2']);
    const aliases = new LoopbackAliases('darwin', lo0.run);
    await aliases.add(['127.64.0.1', '127.64.0.2', '127.64.0.3', '127.64.0.1'], signal);
    expect(lo0.changes).toEqual(['alias 127.64.0.1', 'alias 127.64.0.3']);
    expect(aliases.size).toBe(2);
    await aliases.remove(['127.64.0.2', '127.64.0.3'], signal);
    await aliases.removeAll(signal);
    expect(lo0.changes.slice(2)).toEqual(['-alias 127.64.0.3', '-alias 127.64.0.1']);
    expect(aliases.size).toBe(0);
  });

  it('are exchanged for others', async () => {
    const lo0 = fakeInterface(['127.0.0.1']);
    const aliases = new LoopbackAliases('darwin', lo0.run);
    await aliases.set(['127.64.0.1', '127.64.0.2'], signal);
    await aliases.set(['127.64.0.2', '127.64.0.3'], signal);
    expect(lo0.changes).toEqual(['alias 127.64.0.1', 'alias 127.64.0.2', '-alias 127.64.0.1', 'alias 127.64.0.3']);
  });

  it('that somebody else removed meanwhile are no failure', async () => {
    const addresses = ['127.0.0.1'];
    const lo0 = fakeInterface(addresses);
    const aliases = new LoopbackAliases('darwin', lo0.run);
    await aliases.add(['127.64.0.1'], signal);
    addresses.pop();
    await aliases.removeAll(signal);
    expect(lo0.changes).toEqual(['alias 127.64.0.1']);
  });

  it('that are refused are told with the system’s words, and what was added is remembered', async () => {
    const lo0 = fakeInterface([]);
    const aliases = new LoopbackAliases('darwin', async (command, at) =>
      command.includes('127.64.0.2')
        ? { code: 1, stdout: '', stderr: 'ifconfig: ioctl (SIOCAIFADDR): permission denied\n' }
        : lo0.run(command, at),
    );
    await expect(aliases.add(['127.64.0.1', '127.64.0.2'], signal)).rejects.toMatchObject({
      code: 'privileges-needed',
      why: expect.stringContaining('permission denied'),
    });
    expect(aliases.size).toBe(1);
  });
});

it.each(['linux', 'win32'] as const)('loopback aliases are not needed on %s', async (platform) => {
  const aliases = new LoopbackAliases(platform, async () => expect.unreachable());
  await aliases.add(['127.64.0.1'], signal);
  await aliases.removeAll(signal);
  expect(aliases.size).toBe(0);
});

describe('resolver caches', () => {
  it.each([
    ['linux', ['resolvectl flush-caches', 'nscd -i hosts']],
    ['darwin', ['/usr/bin/dscacheutil -flushcache', '/usr/bin/killall -HUP mDNSResponder']],
    ['win32', [`${platformCommands('win32').hostsFile.replace(/drivers.*/, '')}ipconfig.exe /flushdns`]],
  ] as const)('are flushed on %s, and none has to be there', async (platform, expected) => {
    const ran: string[] = [];
    const run = async (command: Command) => {
      ran.push(command.join(' '));
      return { code: undefined, stdout: '', stderr: 'ENOENT' };
    };
    await flushResolverCaches(signal, run, platform);
    expect(ran).toEqual(expected);
  });
});

it.each([
  ['linux', {}, '/etc/hosts'],
  ['darwin', {}, '/etc/hosts'],
  ['win32', { SystemRoot: 'D:\\WINNT' }, 'D:\\WINNT\\System32\\drivers\\etc\\hosts'],
  ['win32', {}, 'C:\\Windows\\System32\\drivers\\etc\\hosts'],
] as const)('the hosts file on %s %j is %s', (platform, environment, path) => {
  expect(platformCommands(platform, environment).hostsFile).toBe(path);
});

describe('a program', () => {
  it('is run with its output, its exit code, and English messages', async () => {
    const end = await runCommand(['/bin/sh', '-c', 'echo "$LC_ALL $0"; echo no >&2; exit 3', '$(x)'], signal);
    expect(end).toEqual({ code: 3, stdout: 'C $(x)\n', stderr: 'no\n' });
  });

  it('that is not there ends without a code', async () => {
    expect(await runCommand(['/none'], signal)).toMatchObject({
      code: undefined,
      stderr: expect.stringMatching(/ENOENT/),
    });
  });

  it('is given up when that is wanted', async () => {
    const reason = new Error('enough');
    await expect(runCommand(['/bin/sleep', '9'], AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
