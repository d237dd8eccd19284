/** Who plays along in a replay: surroundings without a cluster, and a debugger that says what was recorded. */
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { DebuggerProfile } from '../../debuggers/profile.ts';
import { findProfile, knownTypes } from '../../debuggers/registry.ts';
import type { Raw } from '../message.ts';
import { privateSocket } from '../reach.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Recording } from './recording.ts';
import type { Timeline } from './timeline.ts';

/** A message as it goes over a stream, under its own number. */
export function framed(message: Raw): string {
  const text = JSON.stringify(message);
  return `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** Connected and undone when the recorded ones were. */
export function surroundingsOf(recording: Recording, timeline: Timeline, parse: Surroundings['parse']): Surroundings {
  const { until, refusal } = recording.connecting;
  return {
    parse,
    connect: async () => {
      await timeline.until(() => until !== undefined && timeline.handledBefore(until) && timeline.sentBefore(until));
      if (refusal !== undefined) throw refusal;
      return { environment: recording.environment, summary: '' };
    },
    processStarted: () => {},
    disconnect: async (_budget, keep) => {
      const index = recording.undoneBy(timeline.position);
      if (index !== undefined) await timeline.until(() => timeline.handledBefore(index));
      return keep === undefined ? 'undone' : 'kept';
    },
  };
}

/** The real debugger's profile, but for where it is. */
export function profilesFor(debug: ScriptedDebugger, recording: Recording): readonly DebuggerProfile[] {
  const known = new Set(knownTypes().map((type) => findProfile(type)));
  return [...known].map((profile) => ({
    ...profile,
    command: ({ args }) => ({
      argv: [],
      // One that differs takes the place of the one before it.
      origin: recording.replacesAtLaunch && Object.keys(args).length > 0 ? 'the launch' : 'the start',
      transport: { kind: 'running', endpoint: { path: debug.path } },
    }),
    check: async () => {
      if (recording.missing !== undefined) throw recording.missing;
    },
    request(given, environment, request) {
      // Its file is on another computer, and what it held has been recorded with the rest.
      const { envFile, ...args } = given.args;
      const made = profile.request({ ...given, args }, environment, request);
      return envFile === undefined ? made : { ...made, arguments: { ...made.arguments, envFile } };
    },
  }));
}

/** Debuggers at a private socket, one after another. */
export class ScriptedDebugger implements Disposable {
  readonly path: string;
  readonly #folder: string | undefined;
  readonly #server = createServer((socket) => this.#called(socket));
  #socket: Socket | undefined;
  #silent: number;

  /** `silent`: how many hang up at the first word, as one does that breaks at its start. */
  constructor(silent: number) {
    this.#silent = silent;
    const { path, folder } = privateSocket();
    this.path = path;
    this.#folder = folder;
  }

  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject).listen(this.path, resolve);
    await promise;
  }

  say(message: Raw): void {
    this.#socket?.write(framed(message));
  }

  hangUp(): void {
    this.#socket?.destroy();
  }

  #called(socket: Socket): void {
    this.#socket = socket;
    // The end of the connection says it all.
    socket.on('error', () => {});
    if (this.#silent-- > 0) socket.once('data', () => socket.destroy());
    else socket.resume();
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy();
    this.#server.close();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}
