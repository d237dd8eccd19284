/** What stands in a trace, line by line: written by trace.ts, read by trace-reading.ts. */
import { z } from 'zod';

/** What a trace begins with; a file that is used again has several. */
export const traceHead = z.object({
  trace: z.literal(1),
  started: z.iso.datetime(),
  version: z.string(),
  node: z.string(),
  platform: z.string(),
  pid: z.int(),
  /** The options that the debug adapter was started with; values of environment variables masked. */
  options: z.record(z.string(), z.unknown()),
});
export type TraceHead = Readonly<z.infer<typeof traceHead>>;

const of = {
  /** ms since the start. */
  time: z.number().nonnegative(),
  /** Whose it is: several debug adapters may write to one file, as for child sessions. */
  pid: z.int(),
  /** The sessions of a process are counted from 1. */
  session: z.int().positive(),
};

export const traceMessage = z.object({
  ...of,
  direction: z.enum(['from client', 'to client', 'from debugger', 'to debugger']),
  message: z.record(z.string(), z.unknown()),
});
export type TraceMessage = Readonly<z.infer<typeof traceMessage>>;

/** The client or the debugger is gone, and why. */
export const traceEnd = z.object({ ...of, direction: z.enum(['from client', 'from debugger']), end: z.string() });
type TraceEnd = Readonly<z.infer<typeof traceEnd>>;

export type TraceEntry = TraceMessage | TraceEnd;
