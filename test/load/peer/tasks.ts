/** What a client asks of the server in the first line of a connection. Both ends are `main.ts`. */
import { z } from 'zod';

const part = z.object({ seed: z.string(), length: z.int() });
const key = z.string();

export const taskSchema = z.discriminatedUnion('task', [
  /** Both directions at once; then the server says what it has seen. */
  z.object({ task: z.literal('bytes'), up: part, down: part }),
  /** A short connection. `client`: the client has ended its direction before the server answers. */
  z.object({ task: z.literal('short'), request: part, answer: part, endsFirst: z.enum(['client', 'server']) }),
  /** The server writes without end, until `finish` with the same key, or until it has written `most`. */
  z.object({ task: z.literal('write'), key, seed: z.string(), most: z.int() }),
  /** The server does not read until `resume` with the same key; then it reads all and says what it has seen. */
  z.object({ task: z.literal('hold'), key }),
  z.object({ task: z.literal('written'), key }),
  z.object({ task: z.literal('finish'), key }),
  z.object({ task: z.literal('resume'), key }),
  /** The server resets the connection when it has read so much. */
  z.object({ task: z.literal('reset'), after: z.int() }),
  /** The server tells under this key how the connection ended. */
  z.object({ task: z.literal('watch'), key }),
  z.object({ task: z.literal('end-of'), key }),
  /** The server ends its direction at once and reads on; `end-of` has the number of bytes. */
  z.object({ task: z.literal('listen-only'), key }),
]);
export type Task = z.infer<typeof taskSchema>;

export const seenSchema = z.object({ length: z.int(), digest: z.string() });
/** What one end has received. */
export type Seen = z.infer<typeof seenSchema>;

export const writtenSchema = z.object({ written: z.int(), connections: z.int() });
export const endSchema = z.object({ end: z.string() });

/** What a connection to the port of speakers hears before it has said anything. */
export const greeting = '220 the server speaks first';
