/**
 * The privileged helper: the one process that may write the hosts file, listen on low ports and add loopback addresses.
 * It checks every argument itself, does nothing but its own fenced blocks with addresses of 127.0.0.0/8 and what stands
 * for Services, and undoes all it did when its client is gone, however that went.
 */
import { lstat, rm, rmdir } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LoopbackAliases } from '../platform/loopback-aliases.ts';
import { systemHostsFile } from '../platform/platform-commands.ts';
import { HelperHosts } from './helper-hosts.ts';
import { inspectMeetingPlace, meetingAddress } from './helper-meeting.ts';
import {
  argumentSchema,
  argumentVersionSchema,
  type HelperArgument,
  helperVersion,
  relayName,
  socketName,
  tokenName,
} from './helper-protocol.ts';
import { serveHelper } from './helper-service.ts';
import { LowPorts, relayArgument } from './low-ports.ts';
import { refusal, versionRefusal } from './refusal.ts';
import { runRelay } from './relay-process.ts';

const undoAttempts = 5;
const undoPauseMilliseconds = 500;
/** A privileged process that nobody needs does not stay. */
const idleMilliseconds = 300_000;

export interface HelperSettings {
  /** How long it stays when it holds nothing for its client and is asked for nothing, in milliseconds. */
  readonly idle?: number;
}

/**
 * Runs the helper until its client is gone or needs it no more, or it is told to end; all it did is undone then.
 * Problem helper-failed, hosts-unwritable.
 */
export async function runHelper(argument: string, settings: HelperSettings = {}): Promise<void> {
  if (argument === relayArgument) return runRelay();
  // A terminal's Ctrl-C and its closing reach the whole group; the client decides about the end, by closing the channel.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  // Nobody reads it any more once the client is killed.
  process.stderr.on('error', () => {});
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const ended = new AbortController();
  process.once('SIGTERM', () => ended.abort());

  const { directory, uid, hostsFile } = parseArgument(argument);
  const token = await inspectMeetingPlace(directory, uid);
  const { ino, dev } = await lstat(directory);
  // Keeps no folder of the user's busy.
  process.chdir('/');
  const socket = createConnection(meetingAddress(directory, socketName));
  socket.on('error', () => {});
  socket.once('close', () => ended.abort());
  const hosts = new HelperHosts(hostsFile ?? systemHostsFile());
  const ports = new LowPorts({ directory, uid, token, say });
  const aliases = new LoopbackAliases();
  const idle = setTimeout(() => {
    if (hosts.size + ports.size + aliases.size === 0) ended.abort();
    else idle.refresh();
  }, settings.idle ?? idleMilliseconds);
  const active = () => void idle.refresh();
  serveHelper({ socket, token, hosts, ports, aliases, say, active, signal: ended.signal });
  await new Promise<void>((resolve) => {
    if (ended.signal.aborted) resolve();
    else ended.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearTimeout(idle);
  await ports.close();
  const { signal } = new AbortController();
  await persist(() => hosts.clearAll(signal));
  await persist(() => aliases.removeAll(signal));
  socket.destroy();
  await removeMeetingPlace(directory, { ino, dev });
}

/** Tries again, for nobody else is left to do it. */
async function persist(undo: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await undo();
    } catch (error) {
      if (attempt === undoAttempts) throw error;
      await delay(undoPauseMilliseconds);
    }
  }
}

/**
 * Removes what a killed client left. From within, so that it is the very directory that was inspected and not what its path
 * leads to by now: these are root's deletions.
 */
async function removeMeetingPlace(directory: string, inspected: { ino: number; dev: number }): Promise<void> {
  try {
    process.chdir(directory);
    const here = await lstat('.');
    if (here.ino === inspected.ino && here.dev === inspected.dev) {
      for (const name of [socketName, relayName, tokenName]) await rm(name, { force: true });
    }
    process.chdir('/');
    await rmdir(directory);
  } catch (error) {
    // The client removes it itself where it still lives.
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!['ENOENT', 'ENOTDIR', 'ENOTEMPTY'].includes(code)) throw error;
  }
}

/** Decodes and judges the helper's argument. */
function parseArgument(argument: string): HelperArgument {
  const decoded = decode(argument);
  const version = argumentVersionSchema.safeParse(decoded).data?.version;
  if (version !== undefined && version !== helperVersion) throw versionRefusal(version);
  const parsed = argumentSchema.safeParse(decoded);
  if (!parsed.success) throw refusal('Its argument is not one of this version of kubernetes-local.');
  const { uid, hostsFile } = parsed.data;
  for (const variable of ['SUDO_UID', 'PKEXEC_UID']) {
    const caller = process.env[variable];
    if (caller !== undefined && Number(caller) !== uid) throw refusal(`User ${caller} asked for it, not user ${uid}.`);
  }
  // Otherwise whoever may start the helper could write any file of root's.
  if (hostsFile !== undefined && process.getuid?.() !== uid) {
    throw refusal('Another hosts file is for tests without privileges only.');
  }
  return parsed.data;
}

function decode(argument: string): unknown {
  try {
    return JSON.parse(Buffer.from(argument, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
