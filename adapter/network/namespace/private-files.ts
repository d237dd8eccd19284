/** What programs in a private network read as /etc/hosts and /etc/resolv.conf, made from the computer's own files. */
import { isIPv4 } from 'node:net';
import { ownIdentity } from '../../processes/identity.ts';
import { blocksIn, type HostsEntry, mapped, withBlock, withoutBlock } from '../hosts/hosts-file.ts';
import { type ShadowedName, shadowedNames } from '../hosts/user-entries.ts';
import { hasIPv6 } from './routes.ts';

/** The name under which the computer's own loopback services can be reached from inside. */
export const computerName = 'host.kubernetes-local';

/**
 * The computer's hosts file with these entries; they go first if the user maps one of the names, for the first match wins.
 * Blocks of other sessions are left out: their addresses lead nowhere inside.
 */
export function privateHosts(
  path: string,
  bytes: Uint8Array,
  entries: readonly HostsEntry[],
): { readonly content: Buffer; readonly shadowed: readonly ShadowedName[] } {
  const shadowed = shadowedNames(path, bytes, entries);
  const own = blocksIn(bytes).reduce<Uint8Array>((rest, { session }) => withoutBlock(rest, session), bytes);
  // So that a look-up for IPv6 alone does not go to the computer's name server, see `mapped`.
  const all = [...entries, ...(hasIPv6() ? entries.filter(({ address }) => isIPv4(address)).map(mapped) : [])];
  const block = { session: 'namespace', owner: ownIdentity(), entries: all };
  return { content: withBlock(own, block, shadowed.length > 0 ? 'first' : 'last'), shadowed };
}

/**
 * The computer's resolv.conf, where `forwarder` takes the place of name servers on the computer's loopback, which is not
 * the program's. Undefined `forwarder`: there is none.
 */
export function privateResolver(text: string, forwarder: string | undefined): string {
  if (forwarder === undefined) return text;
  const servers = [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+).*$/gm)].map(([, address = '']) => address);
  // resolv.conf(5): without a name server the one of this computer is asked.
  const isLoopback = (address: string) => address.startsWith('127.') || address === '::1';
  if (servers.length > 0 && !servers.some(isLoopback)) return text;
  const others = text.replace(/^[ \t]*nameserver[ \t]+(127\.|::1\b).*\n?/gm, '');
  return `nameserver ${forwarder}\n${others}`;
}
