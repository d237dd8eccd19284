/** What a debug session is served with. */
import type { Readable, Writable } from 'node:stream';
import type { DebugAdapterSettings, DebuggerProfile } from '../debuggers/profile.ts';
import type { Log } from '../diagnostics/log.ts';
import type { Raw } from './message.ts';
import type { RemedyOf } from './problem-response.ts';
import type { Surroundings } from './surroundings.ts';

/** The four ways of a message; the real debug adapter is called debugger here. */
export type TraceDirection = 'from client' | 'to client' | 'from debugger' | 'to debugger';
export type Trace = (direction: TraceDirection, message: Raw) => void;
/** The client or the debugger is gone, and nobody had asked it to go. */
export type TraceEnded = (direction: 'from client' | 'from debugger', why: string) => void;

export interface ServeOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** The type of the real debug adapter, if it is known before the client's `initialize`. */
  readonly delegate?: string;
  /** How that debug adapter is started, if not in its usual way. */
  readonly debugAdapter?: DebugAdapterSettings;
  /** Throws Problem if who sent these launch arguments is not to be served; child sessions have their own token. */
  readonly admit?: (args: unknown) => void;
  readonly surroundings: Surroundings;
  readonly log: Log;
  /** The client has an extension of ours: it shows our questions, and our remedies as buttons. */
  readonly extension?: { readonly remedy: RemedyOf };
  /** Called with each DAP message in both directions, before anything is masked. */
  readonly trace?: Trace;
  readonly traceEnded?: TraceEnded;
  /** The debuggers to choose from, if not all. */
  readonly profiles?: readonly DebuggerProfile[];
  /** Waiting times that differ from the usual ones. */
  readonly timing?: Partial<Timing>;
}

/** Waiting times, in ms. */
export interface Timing {
  /** How long `launch` of a client may stay open while we connect; by clientID. Others wait without end. */
  readonly earlyAnswer: Readonly<Record<string, number>>;
  /** For the real debug adapter's answer to `initialize`. */
  readonly initialize: number;
  /** For that answer once it has written something that is no DAP. */
  readonly afterRubbish: number;
  /** For answers of clients to requests that they may not know. */
  readonly reverseRequest: number;
  /** For its answer to `disconnect`. VS Code ends us 2 s after it asked. */
  readonly disconnect: number;
  /** For the surroundings to be undone before the client hears of the end. */
  readonly undo: number;
  /** For the client's `disconnect` after we said that the session is over. */
  readonly farewell: number;
  /** For the real debug adapter and its program to end at end of file, then at SIGTERM. */
  readonly endOfFile: number;
  readonly sigterm: number;
}
