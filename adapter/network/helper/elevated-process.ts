/** A process that was to be started with privileges, and how it ended, or why there is none. */
import { spawn } from 'node:child_process';

/** `reason`: the user said no; nothing here can ask or the program is missing; this user is not allowed. */
export type ElevationEnd =
  | { readonly kind: 'ended'; readonly said: string }
  | { readonly kind: 'not started'; readonly reason: 'refused' | 'impossible' | 'policy'; readonly said: string };

export interface ElevatedProcess {
  /** Resolves when it has ended or could not be started, with the last of its standard error. */
  readonly ended: Promise<ElevationEnd>;
  /** Asks it to end, where that can be done from outside. */
  kill(): void;
}

/** Enough for a stack trace. */
const longestSaid = 2_000;

/** Starts the command as it is, as this user. `say` gets its standard error. */
export function startDirectly(command: readonly string[], say: (text: string) => void): ElevatedProcess {
  return start(command, say, (said, missing) => ({ kind: 'ended', said: said || missing }));
}

/** Starts the command as root by `sudo -n`, which never asks. */
export function startBySudo(command: readonly string[], say: (text: string) => void): ElevatedProcess {
  return start(['sudo', '-n', '--', ...command], say, (said, missing) => {
    if (missing !== '') return { kind: 'not started', reason: 'impossible', said: 'There is no sudo here.' };
    const refusal = /^(?:sorry, user .*|.* (?:is not in the sudoers|may not run sudo).*)$/im.exec(said);
    if (refusal) return { kind: 'not started', reason: 'policy', said: refusal[0] };
    // This one is a warning, after which it goes on.
    const isRefused = /^sudo: (?!unable to resolve host)/m.test(said);
    return isRefused ? { kind: 'not started', reason: 'impossible', said } : { kind: 'ended', said };
  });
}

function start(
  command: readonly string[],
  say: (text: string) => void,
  judge: (said: string, missing: string) => ElevationEnd,
): ElevatedProcess {
  const [program = '', ...args] = command;
  // Its own session: it neither gets the signals of a terminal nor ends with the client's group. English, to be judged.
  const env = program === 'sudo' ? { ...process.env, LC_ALL: 'C' } : process.env;
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'], env });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-longestSaid);
    say(text);
  });
  const ended = new Promise<ElevationEnd>((resolve) => {
    child.once('close', () => resolve(judge(said.trim(), '')));
    // Not once: a signal that root's process does not take is an error too.
    child.on('error', (error) => {
      const isMissing = child.pid === undefined;
      if (isMissing) resolve(judge(said.trim(), error.message));
    });
  });
  return { ended, kill: () => void child.kill('SIGTERM') };
}
