/**
 * What the daemon and the holders of the namespaces say to each other over Node's IPC channel, which also carries sockets.
 * Every side checks what it gets with these schemas. A holder is started as `PROGRAM namespace ARGUMENT`.
 */
import { isIP } from 'node:net';
import { z } from 'zod';

const path = z.string().startsWith('/').max(4096);

/** `program`: where the user's program runs; `services`: where the listeners stand. */
export const argumentSchema = z.strictObject({
  role: z.enum(['program', 'services']),
  /** How this program is started, for the other holder. */
  command: z.array(z.string()).min(1),
  tools: z.strictObject({ unshare: path, ip: path, mount: path, umount: path, pivotRoot: path.optional() }),
  /** The session's private folder; the holder of `program` removes it at its end. */
  folder: path,
});
export type HolderArgument = z.infer<typeof argumentSchema>;

/** A holder's one argument: base64url of JSON. */
export function encodeArgument(argument: HolderArgument): string {
  return Buffer.from(JSON.stringify(argument)).toString('base64url');
}

const id = z.number().int().nonnegative();
const port = z.number().int().min(1).max(65_535);
const address = z.string().refine((text) => isIP(text) !== 0, 'not an IP address');

export const requestSchema = z.discriminatedUnion('kind', [
  /** Joins the two namespaces; hides the sockets of `masks`, whose owners answer from the computer's own hosts file. */
  z.strictObject({ kind: z.literal('setUp'), id, masks: z.array(path).max(10) }),
  /** Makes programs see `content` (one character a byte) at these paths. */
  z.strictObject({
    kind: z.literal('show'),
    id,
    files: z.array(z.strictObject({ path, content: z.string() })).max(10),
  }),
  /** Shows files and folders of the computer at other paths; `keep` are those that must not be hidden. Answered with remarks. */
  z.strictObject({
    kind: z.literal('mount'),
    id,
    mounts: z.array(z.strictObject({ mountPath: path, localPath: path, readOnly: z.boolean() })).max(1_000),
    keep: z.array(path).max(1_000),
  }),
  z.strictObject({ kind: z.literal('route'), id, add: z.array(address), remove: z.array(address) }),
  /** Answered with a listening server. */
  z.strictObject({ kind: z.literal('listen'), id, port }),
  /** Makes these addresses such that UDP sockets can be bound to them. */
  z.strictObject({ kind: z.literal('own'), id, addresses: z.array(address) }),
  /** Answered with a UDP socket that is bound to this address, which is one of those. */
  z.strictObject({ kind: z.literal('listenDatagrams'), id, address, port }),
  /** Answered with a connection to the first of the hosts where something listens. */
  z.strictObject({ kind: z.literal('dial'), id, hosts: z.array(address).min(1).max(20), port }),
]);
export type HolderRequest = z.infer<typeof requestSchema>;

/** A request that `ask` has yet to number. */
export type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

/** The id of what a holder says unasked, once: that it runs. */
export const startedId = 0;

export const replySchema = z.strictObject({
  id,
  /** Why the request failed. */
  error: z.strictObject({ message: z.string(), code: z.string().optional() }).optional(),
  /** Answer to `setUp`: whether programs may listen below port 1024. */
  lowPorts: z.boolean().optional(),
  /** Answer to `mount`: what the user has to know. */
  remarks: z.array(z.strictObject({ mountPath: path, why: z.string(), shown: z.boolean() })).optional(),
});
export type HolderReply = z.infer<typeof replySchema>;
