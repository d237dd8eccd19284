/**
 * Starts the privileged helper.
 */
import type { Server, Socket } from 'node:net';
import type { Log } from '../../diagnostics/log.ts';
import { hostsFilePath } from '../hosts/hosts-writer.ts';
import { systemHostsFile } from '../platform/platform-commands.ts';
import type { AskConsent } from './consent.ts';
import type { ElevatedProcess } from './elevated-process.ts';
import { type Elevation, elevate, NotReady } from './elevation.ts';
import type { SudoPrompt } from './graphical-prompt.ts';
import { HelperConnection, helperFailed, type PrivilegedHelper } from './helper-connection.ts';
import { type MeetingPlace, openMeetingPlace } from './helper-meeting.ts';
import { encodeArgument, helperVersion } from './helper-protocol.ts';
import { otherVersion, otherVersionIn } from './refusal.ts';

export type { PrivilegedHelper } from './helper-connection.ts';

export interface HelperOptions {
  readonly log: Log;
  /** How this program is started, absolute paths; `helper ARGUMENT` is appended. */
  readonly command: readonly string[];
  /** For tests: another file than the system's, written without privileges. Default: the environment's KUBERNETES_LOCAL_HOSTS_FILE. */
  readonly hostsFile?: string;
  /** Asks the user before the system asks for a password; without it, and where neither is needed, nobody is asked. */
  readonly consent?: AskConsent;
  /** For tests: in place of sudo-prompt. */
  readonly prompt?: SudoPrompt;
  readonly signal: AbortSignal;
}

/** Time to start a program and connect on a busy computer. */
const startMilliseconds = 20_000;
/** Time to find one's password. */
const askMilliseconds = 300_000;

/**
 * Starts the helper: directly for root (or for a test's hosts file), else through `sudo -n`, which never asks, else through
 * the system's graphical question, once `consent` is given.
 * Problems privileges-needed, consent-refused, helper-failed.
 */
export async function startHelper(options: HelperOptions): Promise<PrivilegedHelper> {
  const { log, signal } = options;
  const file = options.hostsFile ?? hostsFilePath();
  const isSystems = file === systemHostsFile();
  const meeting = await openMeetingPlace();
  try {
    const argument = encodeArgument({
      version: helperVersion,
      directory: meeting.directory,
      uid: process.getuid?.() ?? 0,
      ...(isSystems ? {} : { hostsFile: file }),
    });
    const command = [...options.command, 'helper', argument];
    log.write('debug', 'starting the privileged helper', { command });
    return await elevate({
      command,
      withoutPrivileges: !isSystems,
      consent: options.consent,
      prompt: options.prompt,
      say: (text) => log.write('info', 'the privileged helper says', { text: text.trimEnd() }),
      ready: (process, elevation) => connect({ process, elevation, meeting, log }, signal),
      signal,
    });
  } catch (error) {
    await meeting[Symbol.asyncDispose]();
    if (!(error instanceof NotReady)) throw error;
    const version = otherVersionIn(error.end.said);
    if (version !== undefined) throw otherVersion(version, options.command.join(' '));
    throw helperFailed(error.end.said || 'It ended without a word.', error);
  }
}

/** The connection of a process that starts. NotReady if it ended instead, or did not start; Problem helper-failed if it is too slow. */
async function connect(
  parts: { process: ElevatedProcess; elevation: Elevation; meeting: MeetingPlace; log: Log },
  wanted: AbortSignal,
): Promise<PrivilegedHelper> {
  const { process, elevation, meeting } = parts;
  const patience = elevation === 'graphical' ? askMilliseconds : startMilliseconds;
  const deadline = AbortSignal.timeout(patience);
  const signal = AbortSignal.any([wanted, deadline]);
  try {
    const socket = await accept(meeting.server, process, signal);
    const connection = new HelperConnection({ socket, ...parts });
    await connection.hello(meeting.token, signal);
    return connection;
  } catch (error) {
    process.kill();
    if (deadline.aborted && !wanted.aborted) {
      throw helperFailed(`It did not answer within ${patience / 1000} seconds.`, error);
    }
    throw error;
  }
}

/** The helper's connection, or the reason why there is none. */
function accept(server: Server, process: ElevatedProcess, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const take = (socket: Socket) => {
      signal.removeEventListener('abort', abort);
      resolve(socket);
    };
    server.once('connection', take);
    void process.ended.then((end) => {
      // Another process, started in another way, may be waited for next.
      server.off('connection', take);
      signal.removeEventListener('abort', abort);
      reject(new NotReady(end));
    });
  });
}
