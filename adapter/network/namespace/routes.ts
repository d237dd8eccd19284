/** The links, addresses and routes of the two namespaces, as input of `ip -batch`. */
import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';

/** The two ends of the cable between the namespaces. Link-local, so that no network of the user's is shadowed. */
const servicesEnd = { link: 'kl-program', v4: '169.254.77.1', v6: 'fd6b:6c00:77::1' };
const programEnd = { link: 'kl-cluster', v4: '169.254.77.2', v6: 'fd6b:6c00:77::2' };

/** Whether this kernel knows IPv6 at all; without it ip refuses its words. */
export function hasIPv6(): boolean {
  return existsSync('/proc/net/if_inet6');
}

/** In the program's namespace: its own loopback and the cable to the other namespace, named by a process there. */
export function programLinks(servicesPid: number): string {
  return lines([
    'link set lo up',
    `link add ${programEnd.link} type veth peer name ${servicesEnd.link} netns ${servicesPid}`,
    ...end(programEnd),
  ]);
}

/**
 * In the services' namespace: whatever arrives is for us, so that one wildcard listener serves a port of every Service.
 * Not in table `local`, which is looked up first and would take the answers to the program too.
 */
export function servicesLinks(): string {
  return lines(['link set lo up', ...end(servicesEnd), 'route add local default dev lo table main']);
}

/**
 * The same for IPv6, once a Service has such an address: with one of its own, each look-up of a name would ask for IPv6
 * addresses too.
 */
export const programIPv6 = lines([`addr add ${programEnd.v6}/126 dev ${programEnd.link} nodad`]);
export const servicesIPv6 = lines([
  `addr add ${servicesEnd.v6}/126 dev ${servicesEnd.link} nodad`,
  'route add local ::/0 dev lo table main',
]);

/**
 * In the services' namespace: addresses that sockets can be bound to. A wildcard socket does for connections, which know whom
 * they were made to; of a datagram Node does not tell that, and answers have to come from there.
 */
export function serviceAddresses(all: readonly string[]): string {
  return lines(all.map((it) => (isIPv6(it) ? `addr replace ${it}/128 dev lo nodad` : `addr replace ${it}/32 dev lo`)));
}

/** In the program's namespace: the ways to Services' addresses. There is never a default route to the other namespace. */
export function serviceRoutes(add: readonly string[], remove: readonly string[]): string {
  const route = (act: string, address: string) =>
    isIPv6(address)
      ? `route ${act} ${address}/128 via ${servicesEnd.v6} dev ${programEnd.link}`
      : `route ${act} ${address}/32 via ${servicesEnd.v4} dev ${programEnd.link}`;
  return lines([...add.map((it) => route('replace', it)), ...remove.map((it) => route('del', it))]);
}

function end({ link, v4 }: { link: string; v4: string }): readonly string[] {
  return [
    // No address of its own making, for the reason above.
    ...(hasIPv6() ? [`link set dev ${link} addrgenmode none`] : []),
    `addr add ${v4}/30 dev ${link}`,
    `link set ${link} up`,
  ];
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
