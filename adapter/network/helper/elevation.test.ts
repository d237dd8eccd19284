/** Which way is taken, and what is said if none is; the programs that elevate are stand-ins here. macOS and Windows are not tried. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Command } from '../platform/platform-commands.ts';
import { type AskConsent, consentText } from './consent.ts';
import { type ElevateOptions, type Elevation, elevate, elevationWay, NotReady } from './elevation.ts';
import type { SudoPrompt } from './graphical-prompt.ts';

const { signal } = new AbortController();

/** Answers of sudo by its arguments; what is not listed is not there. */
function fakeRun(answers: Readonly<Record<string, { code: number; stdout?: string; stderr?: string }>>) {
  return async (command: Command) => {
    const line = command.join(' ').replace(/-- .*/, '--');
    const answer = answers[line];
    return { code: answer?.code, stdout: answer?.stdout ?? '', stderr: answer?.stderr ?? '' };
  };
}

describe('what would work', () => {
  it.each([
    ['root', { uid: 0 }, {}, 'direct', /root/],
    [
      'sudo without a password',
      { uid: 1 },
      { 'sudo -n -l --': { code: 0 }, 'sudo -n -v': { code: 0 } },
      'sudo',
      /sudo/,
    ],
    [
      'sudo without a password for this program',
      { uid: 1, command: ['/n'] },
      {
        'sudo -n -l --': { code: 0 },
        'sudo -n -v': { code: 1 },
        'sudo -n -l': { code: 0, stdout: 'User x may run:\n    (root) NOPASSWD: /n /k helper *\n' },
      },
      'sudo',
      /sudo/,
    ],
    [
      'sudo with a password for this program and without one for others',
      { uid: 1, command: ['/n'], environment: {} },
      {
        'sudo -n -l --': { code: 0 },
        'sudo -n -v': { code: 1 },
        'sudo -n -l': { code: 0, stdout: 'User x may run:\n    (root) NOPASSWD: /bin/id\n    (root) /n\n' },
      },
      undefined,
      /asks for a password/,
    ],
    [
      'a sudo that asks',
      { uid: 1, environment: {} },
      { 'sudo -n -l --': { code: 1, stderr: 'sudo: a password is required\n' } },
      undefined,
      /^sudo: a password is required\. There is neither|^sudo: a password is required\. There is no display/,
    ],
    ['nothing', { uid: 1, environment: {} }, {}, undefined, /There is no sudo here\./],
    ['macOS with a screen', { uid: 1, platform: 'darwin' as const, environment: {} }, {}, 'graphical', /password/],
    [
      'macOS over SSH',
      { uid: 1, platform: 'darwin' as const, environment: { SSH_CONNECTION: 'x' } },
      {},
      undefined,
      /SSH/,
    ],
    ['Windows', { uid: undefined, platform: 'win32' as const, environment: {} }, {}, 'graphical', /password/],
    [
      'an administrator’s Windows',
      { uid: undefined, platform: 'win32' as const, environment: { SystemRoot: 'C:\\W' } },
      { 'C:\\W\\System32\\fltmc.exe': { code: 0 } },
      'direct',
      /administrator/,
    ],
  ] as const)('with %s', async (_name, surroundings, answers, way, reason) => {
    const found = await elevationWay(signal, { ...surroundings, run: fakeRun(answers) });
    expect(found.way).toBe(way);
    expect(found.reason).toMatch(reason);
  });
});

describe('elevate', () => {
  let folder = '';
  let asked: string[] = [];
  let prompted: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'elevation-'));
    asked = [];
    prompted = [];
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  /** What comes of it for an ordinary user, with a `sudo` of this behaviour on the PATH. */
  async function attempt(sudo: string | undefined, more: Partial<ElevateOptions<Elevation>> = {}): Promise<Elevation> {
    if (sudo !== undefined) {
      await writeFile(join(folder, 'sudo'), `#!/bin/sh\n${sudo}\n`);
      await chmod(join(folder, 'sudo'), 0o755);
    }
    vi.stubEnv('PATH', folder);
    return elevate<Elevation>({
      command: ['/bin/sh', 'helper', 'eA'],
      withoutPrivileges: false,
      uid: 1000,
      say: () => {},
      ready: async (process, way) => {
        const end = await process.ended;
        if (end.said.includes('works')) return way;
        throw new NotReady(end);
      },
      signal,
      ...more,
    });
  }

  const says =
    (answer: 'granted' | 'refused' | 'impossible'): AskConsent =>
    async (text) => {
      asked.push(text);
      return answer;
    };
  /** sudo-prompt, which ends so. */
  const promptThat =
    (error: Error | undefined, stderr = ''): SudoPrompt =>
    (command, { name }, callback) => {
      expect(name).toMatch(/^[a-z ]+$/);
      prompted.push(command);
      callback(error, '', stderr);
    };
  const refusal = (code?: number) => Object.assign(new Error('User did not grant permission.'), { code });
  const password = 'echo "sudo: a password is required" >&2; exit 1';

  it('is direct for root, and asks nobody', async () => {
    const command = ['/bin/sh', '-c', 'echo works >&2'];
    expect(await attempt(password, { uid: 0, command, consent: says('granted') })).toBe('direct');
    expect(await attempt(password, { withoutPrivileges: true, command, consent: says('granted') })).toBe('direct');
    expect(asked).toEqual([]);
  });

  it('is sudo where that asks nothing, and asks nobody', async () => {
    const sudo = '[ "$*" = "-n -- /bin/sh helper eA" ] && [ "$LC_ALL" = C ] && echo works >&2';
    expect(await attempt(sudo, { consent: says('granted') })).toBe('sudo');
    expect(asked).toEqual([]);
  });

  it('is not asked again when sudo started it and it failed', async () => {
    const sudo = 'echo "sudo: unable to resolve host x: Name or service not known" >&2; echo "boom" >&2; exit 3';
    const result = attempt(sudo, { consent: says('granted'), prompt: promptThat(undefined, 'works') });
    await expect(result).rejects.toMatchObject({ end: { kind: 'ended', said: expect.stringContaining('boom') } });
    expect(asked).toEqual([]);
  });

  it('is graphical after one consent, with one quoted line', async () => {
    expect(await attempt(password, { consent: says('granted'), prompt: promptThat(undefined, 'works') })).toBe(
      'graphical',
    );
    expect(asked).toEqual([consentText('/etc/hosts')]);
    expect(prompted).toEqual(['"/bin/sh" "helper" "eA"']);
  });

  it('asks nothing for a path that a shell could misread', async () => {
    const command = ['/tmp/$(id)/node', 'helper', 'eA'];
    const result = attempt(undefined, { command, consent: says('granted'), prompt: promptThat(undefined, 'works') });
    await expect(result).rejects.toMatchObject({ code: 'privileges-needed', why: expect.stringContaining('$(id)') });
    expect([asked, prompted]).toEqual([[], []]);
  });

  it.each([
    ['the user refuses', says('refused'), promptThat(undefined, 'works'), 'consent-refused', 'You said no.', 0],
    [
      'nobody can be asked',
      says('impossible'),
      promptThat(undefined, 'works'),
      'privileges-needed',
      /Nobody can be asked/,
      0,
    ],
    ['nobody asks', undefined, promptThat(undefined, 'works'), 'privileges-needed', /Nobody can be asked/, 0],
    [
      'the question is dismissed',
      says('granted'),
      promptThat(refusal(126), 'dismissed'),
      'consent-refused',
      'dismissed',
      1,
    ],
    ['the applet is dismissed', says('granted'), promptThat(refusal()), 'consent-refused', /did not grant/, 1],
    [
      'polkit forbids it',
      says('granted'),
      promptThat(refusal(127), 'Error executing command as another user: Not authorized'),
      'privileges-needed',
      /a password is required\. Error executing command as another user: Not authorized\./,
      1,
    ],
    [
      'polkit has nobody to ask',
      says('granted'),
      promptThat(new Error('No polkit authentication agent found.'), 'polkit: no agent'),
      'privileges-needed',
      /polkit: no agent/,
      1,
    ],
  ] as const)('says so when %s', async (_name, consent, prompt, code, why, prompts) => {
    const result = attempt(password, { ...(consent && { consent }), prompt });
    await expect(result).rejects.toMatchObject({
      code,
      why: typeof why === 'string' ? why : expect.stringMatching(why),
    });
    expect(prompted).toHaveLength(prompts);
  });

  it.each([
    ['Sorry, user x is not allowed to execute "/n" as root on vm.', /not allowed to execute/],
    ['x is not in the sudoers file.', /not in the sudoers file/],
    ['sudo: The "no new privileges" flag is set, which prevents sudo from running as root.', /no new privileges/],
  ])('passes on what sudo says: %s', async (said, why) => {
    const result = attempt(`echo '${said}' >&2; exit 1`, {
      consent: says('impossible'),
      prompt: promptThat(undefined),
    });
    await expect(result).rejects.toMatchObject({ code: 'privileges-needed', why: expect.stringMatching(why) });
  });

  it('tells a process that was started and failed from one that was not', async () => {
    const failed = Object.assign(new Error('Command failed: x'), { code: 3 });
    const result = attempt(password, { consent: says('granted'), prompt: promptThat(failed, 'boom') });
    await expect(result).rejects.toMatchObject({ end: { kind: 'ended', said: 'boom' } });
  });
});

it('the question says what will be done, on each system', () => {
  expect(consentText('/etc/hosts', 'linux')).toMatch(
    /marked lines into \/etc\/hosts\n.*below 1024.*\nand nothing else/,
  );
  expect(consentText('/etc/hosts', 'darwin')).toContain('lo0');
  expect(consentText('C:\\hosts', 'win32')).not.toContain('1024');
});
