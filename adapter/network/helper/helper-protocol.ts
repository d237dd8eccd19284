/**
 * What the privileged helper and its client say to each other. Both sides check what they get with these schemas.
 * The helper is started as `PROGRAM helper ARGUMENT` and connects back to the client's socket; JSON-RPC over it.
 */
import { z } from 'zod';

/** Client and helper must agree on this; it grows with every change of this file. */
export const helperVersion = 2;

/** The helper's one argument: base64url of this as JSON. Holds no secret, for command lines are public. */
export const argumentSchema = z.strictObject({
  version: z.number().int(),
  /** A directory of the client's, 0700: in it the socket the client listens on and the file with the token. */
  directory: z.string().startsWith('/').max(200),
  /** The user that the helper serves: owner of the directory. */
  uid: z.number().int().nonnegative(),
  /** For tests: another file than the system's. Only taken if the helper has no more rights than its client. */
  hostsFile: z.string().startsWith('/').optional(),
});
export type HelperArgument = z.infer<typeof argumentSchema>;

/** Names of the files in the directory. */
export const socketName = 'socket';
export const tokenName = 'token';

/** The socket's and token's directory name on the way to the helper. */
export function encodeArgument(argument: HelperArgument): string {
  return Buffer.from(JSON.stringify(argument)).toString('base64url');
}

const session = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);
const address = z
  .string()
  .regex(/^127(?:\.(?:0|[1-9]\d{0,2})){3}$/)
  .refine((text) => text.split('.').every((part) => Number(part) <= 255), 'not an IPv4 address');
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

const shadowedSchema = z.array(z.strictObject({ name: z.string(), address: z.string() }));
export const welcomeSchema = z.object({ version: z.number().int(), pid: z.number().int() });
export const hostsChangeSchema = z.strictObject({ shadowed: shadowedSchema });

/** The whole surface. `hello` comes first; before it every other one is refused. */
export type HelperMethod = 'hello' | 'ping' | 'checkHosts' | 'setHosts' | 'clearHosts';
