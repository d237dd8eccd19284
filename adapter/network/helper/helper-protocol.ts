/**
 * What the privileged helper and its client say to each other. Both sides check what they get with these schemas.
 * The helper is started as `PROGRAM helper ARGUMENT` and connects back to the client's socket; JSON-RPC over it.
 */
import { z } from 'zod';
import { isServiceAddress } from '../names/addresses.ts';

/** Client and helper must agree on this; it grows with every change of this file. */
export const helperVersion = 4;

/** The helper's one argument: base64url of this as JSON. Holds no secret, for command lines are public. */
export const argumentSchema = z.strictObject({
  version: z.number().int(),
  /** A directory of the client's, 0700: in it the sockets the client listens on and the file with the token. */
  directory: z
    .string()
    .regex(/^(?:\/|[A-Za-z]:[\\/])[^\0]*$/)
    .max(200),
  /** The user that the helper serves: owner of the directory. 0 on Windows, which has no such numbers. */
  uid: z.number().int().nonnegative(),
  /** For tests: another file than the system's. Only taken if the helper has no more rights than its client. */
  hostsFile: z.string().startsWith('/').optional(),
});
export type HelperArgument = z.infer<typeof argumentSchema>;

/** Of an argument of whichever version: older and newer ones have at least this. */
export const argumentVersionSchema = z.object({ version: z.number().int() });

/** Names of what is in the directory. */
export const socketName = 'socket';
export const relayName = 'relay';
export const tokenName = 'token';

/** Bytes of one message to the helper: some thousand Services. Bounded, for a privileged process takes no more than it needs. */
export const longestMessage = 1_000_000;

/** The argument as it is on the helper's command line: no character of it means anything to a shell. */
export function encodeArgument(argument: HelperArgument): string {
  return Buffer.from(JSON.stringify(argument)).toString('base64url');
}

const session = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);
const address = z
  .string()
  .regex(/^127(?:\.(?:0|[1-9]\d{0,2})){3}$/)
  .refine((text) => text.split('.').every((part) => Number(part) <= 255), 'not an IPv4 address');
const serviceAddress = address.refine(isServiceAddress, 'not in 127.64.0.0/10');
/** RFC 1123 labels, lower case, as the names of Services and namespaces are. */
const hostName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/)
  .refine((name) => name !== 'localhost' && !name.endsWith('.localhost'), 'localhost is never mapped');

export const helloSchema = z.strictObject({ version: z.number().int(), token: z.string().max(200) });
export const setHostsSchema = z.strictObject({
  session,
  lines: z.array(z.strictObject({ address, names: z.array(hostName).min(1).max(100) })).max(10_000),
});
export const clearHostsSchema = z.strictObject({ session });
/** Chosen by the client, so that it knows a listener's connections before it knows that it listens. */
export const listenerSchema = z.uuid();
export const listenSchema = z.strictObject({
  listener: listenerSchema,
  address: serviceAddress,
  port: z.number().int().min(1).max(65_535),
  protocol: z.enum(['TCP', 'UDP']),
});
export const unlistenSchema = z.strictObject({ listener: listenerSchema });
export const addressesSchema = z.strictObject({ addresses: z.array(serviceAddress).max(10_000) });

const shadowedSchema = z.array(z.strictObject({ name: z.string(), address: z.string() }));
export const welcomeSchema = z.object({ version: z.number().int(), pid: z.number().int() });
export const hostsChangeSchema = z.strictObject({ shadowed: shadowedSchema });
/** The system's refusal of a listener, beside the response's message. */
export const systemErrorSchema = z.object({ systemError: z.string() });

/** The whole surface. `hello` comes first; before it every other one is refused. */
export type HelperMethod =
  | 'hello'
  | 'ping'
  | 'checkHosts'
  | 'setHosts'
  | 'clearHosts'
  | 'listen'
  | 'unlisten'
  | 'setAddresses';
