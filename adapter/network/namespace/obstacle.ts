/** Whether this computer lets us make a private network: found out by making one, and explained in the user's words. */
import { readFile } from 'node:fs/promises';
import { Problem } from '../../problem.ts';
import { findTool, installLine, runTool, type Tool } from './tools.ts';

/** The programs without which there is no private network, with their absolute paths. */
export type NamespaceTools = Readonly<Record<'unshare' | 'nsenter' | 'ip' | 'mount' | 'umount', string>>;

/** How the namespaces can be made here. */
export interface NamespaceWay {
  readonly tools: NamespaceTools;
  /**
   * `self`: a user namespace that knows this user only, which everybody may make. `all`: one in which root is root and all
   * users are themselves, which only root may make. `none`: root's namespaces without one, where user namespaces are forbidden.
   */
  readonly users: 'self' | 'all' | 'none';
}

/** What the system said when the trial failed. */
export interface Refusal {
  /** Which step of the trial failed. */
  readonly step: 'unshare' | 'link' | 'mount' | 'second';
  readonly said: string;
}

/** What a refusal may come from. Undefined if the kernel has no such setting. */
export interface KernelSettings {
  readonly appArmorRestricts: string | undefined;
  readonly unprivilegedClone: string | undefined;
  readonly maxUserNamespaces: string | undefined;
  /** `Seccomp:` of /proc/self/status: 2 if a filter forbids some system calls. */
  readonly seccomp: string | undefined;
}

/** One exit code for each step, so that the system's words can be shown with what they are about. */
const steps = { 3: 'link', 4: 'mount', 5: 'second' } as const satisfies Record<number, Refusal['step']>;
const trial =
  '"$1" link add kl0 type veth peer name kl1 || exit 3; "$2" --bind /etc/hosts /etc/hosts || exit 4; "$3" --net true || exit 5';

/** Undefined if a private network can be made here, else the reason. Nothing is left of the trial. Rejects only with the signal's reason. */
export async function namespaceObstacle(signal: AbortSignal): Promise<Problem | undefined> {
  const way = await findWay(signal);
  return way instanceof Problem ? way : undefined;
}

/** How the namespaces can be made here, or why they cannot. Rejects only with the signal's reason. */
export async function findWay(signal: AbortSignal): Promise<NamespaceWay | Problem> {
  if (process.platform !== 'linux') {
    return unavailable('Only Linux has network namespaces.', 'Use "network": "hosts" or "env".');
  }
  const tools = findTools();
  if (tools instanceof Problem) return tools;
  const isRoot = process.getuid?.() === 0;
  const refusal = await attempt(tools, true, signal);
  if (refusal === undefined) return { tools, users: isRoot ? 'all' : 'self' };
  if (isRoot && (await attempt(tools, false, signal)) === undefined) return { tools, users: 'none' };
  return explain(refusal, await readSettings());
}

/** The words that make the namespaces, before the command that runs in them. */
export function unshareCommand({ tools, users }: NamespaceWay): readonly string[] {
  const user = { self: ['--user', '--map-current-user', '--keep-caps'], all: ['--user', '--keep-caps'], none: [] }[
    users
  ];
  // What the user mounts later is seen inside too; what is mounted inside is not seen outside.
  return [tools.unshare, ...user, '--mount', '--propagation', 'slave', '--net', '--'];
}

function findTools(): NamespaceTools | Problem {
  const names = ['unshare', 'nsenter', 'ip', 'mount', 'umount'] as const satisfies readonly Tool[];
  const [unshare, nsenter, ip, mount, umount] = names.map(findTool);
  if (unshare && nsenter && ip && mount && umount) return { unshare, nsenter, ip, mount, umount };
  const missing = names.filter((_, index) => ![unshare, nsenter, ip, mount, umount][index]);
  const lines = [...new Set(missing.map(installLine))];
  return unavailable(
    `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not installed.`,
    `Install ${missing.length > 1 ? 'them' : 'it'} (Debian and Ubuntu: ${lines.join('; ')}).`,
  );
}

async function attempt(tools: NamespaceTools, user: boolean, signal: AbortSignal): Promise<Refusal | undefined> {
  const words = unshareCommand({ tools, users: user ? 'self' : 'none' });
  const [program = tools.unshare, ...rest] = words;
  const args = [...rest, 'sh', '-c', trial, 'sh', tools.ip, tools.mount, tools.unshare];
  const { code, said } = await runTool(program, args, { signal });
  if (code === 0) return undefined;
  return { step: steps[code as keyof typeof steps] ?? 'unshare', said };
}

async function readSettings(): Promise<KernelSettings> {
  const read = (path: string) =>
    readFile(path, 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  const [appArmorRestricts, unprivilegedClone, maxUserNamespaces, status] = await Promise.all(
    [
      '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
      '/proc/sys/kernel/unprivileged_userns_clone',
      '/proc/sys/user/max_user_namespaces',
      '/proc/self/status',
    ].map(read),
  );
  const seccomp = status?.match(/^Seccomp:\s*(\d)/m)?.[1];
  return { appArmorRestricts, unprivilegedClone, maxUserNamespaces, seccomp };
}

/** The most likely reason of a refusal, and what to do about it. */
export function explain(refusal: Refusal, settings: KernelSettings): Problem {
  const sysctl = (setting: string, value: string) => `Allow it: sudo sysctl -w ${setting}=${value}`;
  const said = refusal.said || 'It was refused without a word.';
  if (/unrecognized option|invalid option/.test(said)) {
    return unavailable(`unshare is too old: ${said}`, 'Install util-linux 2.36 or later.');
  }
  if (settings.maxUserNamespaces === '0') {
    return unavailable(
      'The kernel allows no user namespaces: user.max_user_namespaces is 0.',
      sysctl('user.max_user_namespaces', '10000'),
    );
  }
  if (settings.unprivilegedClone === '0') {
    return unavailable(
      'The kernel allows user namespaces to root only: kernel.unprivileged_userns_clone is 0.',
      sysctl('kernel.unprivileged_userns_clone', '1'),
    );
  }
  if (settings.appArmorRestricts === '1') {
    return unavailable(
      `AppArmor takes all rights from user namespaces: kernel.apparmor_restrict_unprivileged_userns is 1 (${said}).`,
      sysctl('kernel.apparmor_restrict_unprivileged_userns', '0'),
    );
  }
  if (refusal.step === 'unshare' && /No space left/.test(said)) {
    return unavailable(
      `The limit of namespaces is reached: ${said}`,
      'Look at the settings user.max_user_namespaces, user.max_net_namespaces and user.max_mnt_namespaces.',
    );
  }
  if (settings.seccomp === '2') {
    return unavailable(
      `A filter of system calls, as containers have it, forbids it: ${said}`,
      'Start the container with --security-opt seccomp=unconfined, or with --privileged.',
    );
  }
  const what = {
    unshare: 'Namespaces cannot be made',
    link: 'Inside, network links cannot be made',
    mount: 'Inside, /etc/hosts cannot be covered',
    second: 'Inside, a second network namespace cannot be made',
  }[refusal.step];
  return unavailable(`${what}: ${said}`, 'Use "network": "hosts" or "env".');
}

/** The one Problem of this folder. */
export function unavailable(why: string, remedy: string, cause?: unknown): Problem {
  const what = 'A private network for the program cannot be made here.';
  return new Problem({ code: 'namespace-unavailable', what, why, remedy }, { cause });
}
