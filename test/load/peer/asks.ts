/** What the client is told to do, and what it has found when all was right. */
import { z } from 'zod';

const place = { host: z.string(), port: z.int() };
const seed = z.string();

export const askSchema = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('bytes'), ...place, seed, streams: z.int(), up: z.number(), down: z.number() }),
  z.object({ ask: z.literal('storm'), ...place, seed, connections: z.int(), atOnce: z.int() }),
  z.object({
    ask: z.literal('slow'),
    ...place,
    seed,
    side: z.enum(['download', 'upload']),
    connections: z.int(),
    /** A connection that takes so many bytes which nobody reads is a failure. */
    most: z.int(),
  }),
  z.object({ ask: z.literal('ends'), ...place, seed }),
  z.object({ ask: z.literal('speaks-first'), ...place, connections: z.int() }),
  z.object({ ask: z.literal('http1'), ...place, seed }),
  z.object({ ask: z.literal('http2'), ...place, seed, bytes: z.int() }),
  z.object({ ask: z.literal('tls'), ...place, name: z.string(), certificate: z.string() }),
  z.object({ ask: z.literal('websocket'), ...place, seed }),
]);
export type Ask = z.infer<typeof askSchema>;
export type AskOf<Name extends Ask['ask']> = Extract<Ask, { ask: Name }>;

/** Figures by name; there is an answer only if everything was right. */
export const findingsSchema = z.record(z.string(), z.union([z.number(), z.string()]));
export type Findings = z.infer<typeof findingsSchema>;

/** The ports of one server. */
export const portsSchema = z.object({
  tasks: z.int(),
  speaker: z.int(),
  http1: z.int(),
  http2: z.int(),
  tls: z.int(),
  websocket: z.int(),
});
export type Ports = z.infer<typeof portsSchema>;

export const serveSchema = z.object({
  address: z.string(),
  ports: portsSchema,
  /** In PEM form; without them the TLS port is not served. */
  tls: z.object({ key: z.string(), certificate: z.string() }).optional(),
});
