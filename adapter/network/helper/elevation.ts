/**
 * The ways to start the helper with privileges, in the order in which they are tried: directly, where we have them;
 * `sudo -n`, which never asks; the system's graphical question, after the user has consented.
 */
import { Problem } from '../../problem.ts';
import { systemHostsFile } from '../platform/platform-commands.ts';
import { type RunCommand, runCommand } from '../platform/run-command.ts';
import { type AskConsent, consentRefused, consentText } from './consent.ts';
import { type ElevatedProcess, type ElevationEnd, startBySudo, startDirectly } from './elevated-process.ts';
import { graphicalObstacle, type SudoPrompt, startByPrompt } from './graphical-prompt.ts';
import { shellLine } from './shell-words.ts';

export type { AskConsent } from './consent.ts';

/** Only `graphical` asks the user. */
export type Elevation = 'direct' | 'sudo' | 'graphical';

/** What would work, and why that or nothing. */
export interface ElevationWay {
  readonly way: Elevation | undefined;
  /** A sentence for the user. */
  readonly reason: string;
}

export interface ElevationSurroundings {
  /** How this program is started, absolute paths: sudo may allow it and nothing else. Default: this Node. */
  readonly command?: readonly string[];
  readonly platform?: NodeJS.Platform;
  readonly environment?: NodeJS.ProcessEnv;
  readonly run?: RunCommand;
  readonly uid?: number | undefined;
}

/** What would start the helper here. Starts nothing as root and asks nobody. A hint: the start itself has the last word. */
export async function elevationWay(
  signal: AbortSignal,
  surroundings: ElevationSurroundings = {},
): Promise<ElevationWay> {
  const {
    command = [process.execPath],
    platform = process.platform,
    environment = process.env,
    run = runCommand,
    uid = process.getuid?.(),
  } = surroundings;
  if (uid === 0 && platform !== 'win32') return { way: 'direct', reason: 'You are root.' };
  if (platform === 'win32' && (await isAdministrator(run, environment, signal))) {
    return { way: 'direct', reason: 'This is an administrator’s terminal.' };
  }
  const sudo = platform === 'win32' ? 'Windows has no sudo.' : await sudoObstacle(command, run, signal);
  if (sudo === undefined) return { way: 'sudo', reason: 'sudo starts it without a password.' };
  const graphical = await graphicalObstacle(platform, environment);
  if (graphical === undefined) return { way: 'graphical', reason: 'Your system asks for a password.' };
  return { way: undefined, reason: platform === 'win32' ? graphical : `${sudo} ${graphical}` };
}

/** fltmc lists drivers for administrators only, and changes nothing. Not tried. */
async function isAdministrator(run: RunCommand, environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<boolean> {
  const { code } = await run([`${environment.SystemRoot ?? 'C:\\Windows'}\\System32\\fltmc.exe`], signal);
  return code === 0;
}

/**
 * Why sudo would not start the command without a password; undefined if it would. `sudo -l COMMAND` alone does not tell,
 * for it succeeds for what needs a password, too, as soon as anything needs none.
 */
async function sudoObstacle(
  command: readonly string[],
  run: RunCommand,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [program = ''] = command;
  const allowed = await run(['sudo', '-n', '-l', '--', program, ...command.slice(1), 'helper', 'x'], signal);
  if (allowed.code === undefined) return 'There is no sudo here.';
  if (allowed.code !== 0) return sentence(allowed.stderr) || 'sudo does not allow it without a password.';
  if ((await run(['sudo', '-n', '-v'], signal)).code === 0) return undefined;
  const { stdout } = await run(['sudo', '-n', '-l'], signal);
  const withoutPassword = stdout.split('\n').some((line) => {
    const what = /NOPASSWD:(.*)$/.exec(line)?.[1]?.trim();
    return what !== undefined && (what === 'ALL' || what.includes(program));
  });
  return withoutPassword ? undefined : 'sudo asks for a password.';
}

function sentence(text: string): string {
  const line = text.trim().split('\n')[0] ?? '';
  return line === '' || line.endsWith('.') ? line : `${line}.`;
}

export interface ElevateOptions<T> {
  /** The whole command, absolute paths. */
  readonly command: readonly string[];
  /** A test's hosts file, or the like: no more rights than we have. */
  readonly withoutPrivileges: boolean;
  /** Asks before the system asks; without it nobody can be asked. */
  readonly consent?: AskConsent | undefined;
  /** For tests: in place of sudo-prompt. */
  readonly prompt?: SudoPrompt | undefined;
  readonly platform?: NodeJS.Platform;
  readonly uid?: number | undefined;
  say(text: string): void;
  /** Waits until the process is of use, or throws why it will not be; is called for each way that is tried. */
  ready(process: ElevatedProcess, way: Elevation): Promise<T>;
  readonly signal: AbortSignal;
}

/** The process ended before it was of use, or never was there. */
export class NotReady extends Error {
  readonly end: ElevationEnd;

  constructor(end: ElevationEnd) {
    super(end.said);
    this.end = end;
  }
}

/**
 * Starts the command in the first of the ways that works, and returns what `ready` makes of it.
 * Problems privileges-needed (nothing works here, or the user is not allowed), consent-refused; NotReady if it ran and ended.
 */
export async function elevate<T>(options: ElevateOptions<T>): Promise<T> {
  const { command, say, signal, platform = process.platform, uid = process.getuid?.() } = options;
  if (options.withoutPrivileges || uid === 0) return options.ready(startDirectly(command, say), 'direct');
  let why = '';
  if (platform === 'win32') {
    if (await isAdministrator(runCommand, process.env, signal))
      return options.ready(startDirectly(command, say), 'direct');
  } else {
    try {
      return await options.ready(startBySudo(command, say), 'sudo');
    } catch (error) {
      if (!(error instanceof NotReady) || error.end.kind !== 'not started') throw error;
      why = error.end.said;
    }
  }
  const obstacle = options.prompt ? undefined : await graphicalObstacle(platform);
  if (obstacle !== undefined) throw privilegesNeeded(command, [why, obstacle]);
  // Refused before the user is asked for nothing.
  shellLine(command, platform);
  const answer = (await options.consent?.(consentText(systemHostsFile(), platform), signal)) ?? 'impossible';
  signal.throwIfAborted();
  if (answer === 'refused') throw consentRefused('You said no.');
  if (answer === 'impossible') throw privilegesNeeded(command, [why, 'Nobody can be asked for consent here.']);
  try {
    return await options.ready(await startByPrompt(command, options.prompt, platform), 'graphical');
  } catch (error) {
    if (!(error instanceof NotReady) || error.end.kind !== 'not started') throw error;
    if (error.end.reason === 'refused') throw consentRefused(error.end.said);
    throw privilegesNeeded(command, [why, error.end.said]);
  }
}

function privilegesNeeded(command: readonly string[], why: readonly string[]): Problem {
  const program = command.slice(0, -1).join(' ');
  return new Problem({
    code: 'privileges-needed',
    what: 'The names of the cluster need privileges that this user does not have.',
    why: why.filter(Boolean).map(sentence).join(' '),
    remedy: `Run kubernetes-local as root (in a container, for instance), or let sudo run "${program} *" without a password; the latter only if you cannot write to these files yourself, because whoever can is root by it. Or choose network mode "namespace" or "env".`,
  });
}
