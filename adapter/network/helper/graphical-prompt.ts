/**
 * A program started as an administrator after the system's own graphical question: polkit or kdesudo on Linux, an applet
 * on macOS, UAC on Windows, all by sudo-prompt. Tried with a stand-in for pkexec on Linux; not on macOS and Windows.
 */
import { access } from 'node:fs/promises';
import { platformCommands } from '../platform/platform-commands.ts';
import type { ElevatedProcess, ElevationEnd } from './elevated-process.ts';
import { shellLine } from './shell-words.ts';

/** sudo-prompt's only function. Tests put another in its place. */
export type SudoPrompt = (
  command: string,
  options: { name: string },
  callback: (error?: Error, stdout?: string | Buffer, stderr?: string | Buffer) => void,
) => void;

/** What the system's question calls this program: letters and spaces only. */
const shownName = 'kubernetes local';

/** Why no graphical question can be shown here; undefined if one can. Nothing is started. */
export async function graphicalObstacle(
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const { graphicalPrompts, displayVariables } = platformCommands(platform, environment);
  const found = await Promise.all(
    graphicalPrompts.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  if (graphicalPrompts.length > 0 && !found.includes(true)) return 'There is neither pkexec nor kdesudo here.';
  if (displayVariables.length > 0 && !displayVariables.some((name) => environment[name])) {
    return 'There is no display for the question.';
  }
  if (platform === 'darwin' && environment.SSH_CONNECTION) return 'There is no display for the question over SSH.';
  return undefined;
}

/** Shows the question and starts the command if it is granted. It cannot be taken back, nor the process be killed. Problem privileges-needed. */
export async function startByPrompt(
  command: readonly string[],
  prompt?: SudoPrompt,
  platform: NodeJS.Platform = process.platform,
): Promise<ElevatedProcess> {
  const line = shellLine(command, platform);
  const exec = prompt ?? (await import('sudo-prompt')).default.exec;
  const ended = new Promise<ElevationEnd>((resolve) => {
    exec(line, { name: shownName }, (error, _stdout, stderr = '') => {
      resolve(
        error === undefined || error === null
          ? { kind: 'ended', said: String(stderr).trim() }
          : judge(error, String(stderr).trim()),
      );
    });
  });
  return { ended, kill: () => {} };
}

/** sudo-prompt changes the message if, and only if, the command was not started; the exit codes are pkexec(1)'s. */
function judge(error: Error, said: string): ElevationEnd {
  const text = said || error.message;
  const code = 'code' in error ? error.code : undefined;
  if (/No polkit authentication agent found|Unable to find pkexec|Platform not yet supported/.test(error.message)) {
    return { kind: 'not started', reason: 'impossible', said: text };
  }
  if (!/User did not grant permission/.test(error.message)) return { kind: 'ended', said: text };
  return { kind: 'not started', reason: code === 127 ? 'policy' : 'refused', said: text };
}
