/**
 * Starts the processes of session daemons. A process can be started ahead, while it is not yet known whose session it is to own:
 * it loads beside its client, and ends without a trace if the client ends or needs none.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { parse } from 'node:path';
import { text } from 'node:stream/consumers';
import { engineFlags, withEngineFlags } from '../../../agent/engine-flags.ts';
import { announcementDescriptor } from '../announcement.ts';

/**
 * V8 marks its whole heap when old objects, and the bytes of buffers since it marked last, are more than a limit that follows the
 * size of the heap: with 20 MB of objects after each 9 MB of buffers that it has not freed yet, 42 times for 0.9 GB. With this
 * as the least limit it is 3 to 8 times, in no more memory. An agent has less in its heap, and a limit for its memory.
 */
const daemonFlags = [...engineFlags, '--initial-old-space-size=128'];

export class DaemonStart implements Disposable {
  readonly #program: readonly string[];
  #ahead: ChildProcess | undefined;

  /** `program` starts this program. */
  constructor(program: readonly string[]) {
    this.#program = program;
  }

  /** Starts a process ahead, for the first that is asked for. It keeps nobody from ending. */
  prepare(): void {
    this.#ahead ??= this.#spawn();
  }

  /** Makes a process the daemon of the session with this key; resolves with what it announces, empty if it ended without a word. */
  async start(key: string): Promise<string> {
    const child = this.#takeAhead() ?? this.#spawn();
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    failed.catch(() => {});
    const announced = child.stdio[announcementDescriptor];
    if (!(announced instanceof Socket)) throw new Error('the process of the daemon has no pipe');
    announced.ref();
    child.stdin?.end(`${key}\n`);
    return await Promise.race([text(announced), failed]);
  }

  /** No daemon is needed. */
  [Symbol.dispose](): void {
    this.#takeAhead()?.stdin?.destroy();
  }

  #takeAhead(): ChildProcess | undefined {
    const child = this.#ahead;
    this.#ahead = undefined;
    const lives = child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
    return lives ? child : undefined;
  }

  #spawn(): ChildProcess {
    const [command, ...args] = withEngineFlags(this.#program, daemonFlags);
    if (command === undefined) throw new Error('no program to start the daemon with');
    const child = spawn(command, [...args, 'daemon'], {
      detached: true,
      // Not where the user is, which may have to be unmounted; it goes into its session's folder.
      cwd: parse(process.execPath).root,
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
      windowsHide: true,
      // The program may be an editor that is a Node only if it is told so.
      ...(process.versions.electron !== undefined && { env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } }),
    });
    child.unref();
    // `start` tells of a process that is needed and cannot be had. One that ended takes no key, and says nothing.
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
    for (const stream of child.stdio) if (stream instanceof Socket) stream.unref();
    return child;
  }
}
