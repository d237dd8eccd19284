import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { explain, type KernelSettings, namespaceObstacle } from './obstacle.ts';

const never = new AbortController().signal;
const open: KernelSettings = {
  appArmorRestricts: undefined,
  unprivilegedClone: undefined,
  maxUserNamespaces: '96365',
  seccomp: '0',
};
const refused = { step: 'unshare', said: 'unshare: unshare failed: Operation not permitted' } as const;

describe('a refusal is explained', () => {
  it.each([
    ['AppArmor', { ...open, appArmorRestricts: '1' }, 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'],
    ['Debian before 11', { ...open, unprivilegedClone: '0' }, 'sysctl -w kernel.unprivileged_userns_clone=1'],
    ['no user namespaces', { ...open, maxUserNamespaces: '0' }, 'sysctl -w user.max_user_namespaces='],
    ['a container', { ...open, seccomp: '2' }, 'seccomp=unconfined'],
    ['nothing known', open, 'hosts'],
  ])('by %s', (_name, settings, remedy) => {
    const problem = explain(refused, settings);
    expect(problem.code).toBe('namespace-unavailable');
    expect(problem.remedy).toContain(remedy);
    expect(problem.why).not.toBe('');
  });

  it('by the step that failed, in the words of the system', () => {
    // AppArmor of Ubuntu 23.10 and later lets unshare succeed, and takes the rights away.
    const said = 'RTNETLINK answers: Operation not permitted';
    expect(explain({ step: 'link', said }, open).why).toBe(`Inside, network links cannot be made: ${said}`);
    expect(explain({ step: 'link', said }, { ...open, appArmorRestricts: '1' }).why).toContain('AppArmor');
  });

  it('by programs that are too old, and by limits', () => {
    const old = "unshare: unrecognized option '--map-current-user'";
    expect(explain({ step: 'unshare', said: old }, open).remedy).toContain('util-linux 2.36');
    const full = 'unshare: unshare failed: No space left on device';
    expect(explain({ step: 'unshare', said: full }, open).why).toContain('limit');
  });
});

describe('the trial', () => {
  it('finds nothing in the way here', async () => {
    expect(await namespaceObstacle(never)).toBe(undefined);
  });

  it('ends with its signal', async () => {
    await expect(namespaceObstacle(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  // A user namespace has a limit of its own for those below it, so this is the real thing.
  const limited = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"';
  const module = new URL('obstacle.ts', import.meta.url).href;
  const within = async (unshare: readonly string[], lower: readonly string[], script: string): Promise<unknown> => {
    const program = `import { findWay } from ${JSON.stringify(module)};
      const way = await findWay(new AbortController().signal);
      console.log(JSON.stringify(${script}));`;
    const node = [...lower, process.execPath, '--input-type=module', '-e', program];
    const { stdout } = await promisify(execFile)('unshare', [...unshare, 'sh', '-c', limited, 'sh', ...node], {
      cwd: '/',
    });
    return JSON.parse(stdout);
  };

  it('names the setting that forbids user namespaces', async () => {
    const unshare = ['--user', '--map-user=1000', '--keep-caps'];
    const lower = ['setpriv', '--inh-caps=-all', '--ambient-caps=-all', '--'];
    expect(await within(unshare, lower, 'way')).toMatchObject({
      code: 'namespace-unavailable',
      why: 'The kernel allows no user namespaces: user.max_user_namespaces is 0.',
    });
  });

  it("takes root's own rights where user namespaces are forbidden", async () => {
    expect(await within(['--user', '--map-root-user'], [], 'way.users')).toBe('none');
  });
});
