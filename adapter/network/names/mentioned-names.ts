/** Finds the environment values that call something by its name, which mode `env` cannot make work. */
import type { Destination } from './destinations.ts';

/**
 * Variable → the host names of destinations in its value. A name counts where it is clearly a host: in a URL, before a port
 * that the destination has, qualified as prices.shop.svc is, after `host=`, or as the whole value of a variable that is
 * called after a host.
 */
export function mentionedNames(
  variables: Iterable<{ readonly name: string; readonly value: string }>,
  destinations: readonly Destination[],
): ReadonlyMap<string, readonly string[]> {
  const portsOf = new Map<string, Set<number>>();
  for (const { hostNames, ports } of destinations) {
    for (const name of hostNames) portsOf.set(name, new Set([...(portsOf.get(name) ?? []), ...ports]));
  }
  const mentioned = new Map<string, readonly string[]>();
  for (const { name, value } of variables) {
    const found = new Set<string>();
    for (const { 0: word, index } of value.matchAll(hostName)) {
      const host = word.toLowerCase();
      const ports = portsOf.get(host);
      const place = { host, before: value.slice(0, index), after: value.slice(index + word.length) };
      if (ports !== undefined && isHost(place, ports, name)) found.add(host);
    }
    if (found.size > 0) mentioned.set(name, [...found]);
  }
  return mentioned;
}

/** Not within a longer word. */
const hostName = /(?<![\w.-])[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?(?![\w-])/gi;
/** The hosts of a URL up to here: those of mongodb://a,b/ are several. */
const inHosts = /:\/\/[^/?#\s]*$/;
const beforeCredentialsEnd = /^[^/?#\s]*@/;
const inPath = /[/?&]$/;
const afterKey = /(?:^|[\s;?&(])(?:host|hostname|server|addr|address|data source)=$/i;
const calledAfterHost =
  /(?:^|_)(?:HOST|HOSTS|HOSTNAME|ADDR|ADDRESS|SERVER|SERVERS|ENDPOINT|ENDPOINTS|URL|URI|BROKER|BROKERS)$/i;

function isHost(
  { host, before, after }: { readonly host: string; readonly before: string; readonly after: string },
  ports: ReadonlySet<number>,
  variable: string,
): boolean {
  if (inHosts.test(before)) return !beforeCredentialsEnd.test(after);
  if (inPath.test(before)) return false;
  const port = /^:(\d{1,5})(?!\d)/.exec(after)?.[1];
  if (port !== undefined && ports.has(Number(port))) return true;
  if (host.includes('.') || afterKey.test(before)) return true;
  const isListed = /(?:^|,)\s*$/.test(before) && /^\s*(?:,|$)/.test(after);
  return isListed && calledAfterHost.test(variable);
}
