/**
 * The header of the PROXY protocol, by which a program learns who called it although the connection comes from this computer:
 * https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, sections 2.1 (version 1) and 2.2 (version 2).
 */
import { isIPv4, isIPv6 } from 'node:net';

/** Version 1 is a line of text, version 2 is binary. */
export type ProxyProtocol = 'v1' | 'v2';

/** One end of a TCP connection. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/**
 * Version 2 in the high half; in the low one the command PROXY, or LOCAL where the caller is not known: every reader must take
 * that one, while some refuse PROXY without addresses.
 */
const commands = { proxy: 0x21, local: 0x20 } as const;
/** Address family in the high half, the transport STREAM in the low one. */
const families = { ip4: 0x11, ip6: 0x21, unknown: 0x00 } as const;

/**
 * The bytes that the program gets before all others. `source` is who called, `destination` is what was called. If their
 * addresses are not known, or not of one family, the header says that it is not known who called.
 */
export function proxyHeader(version: ProxyProtocol, source: Endpoint, destination: Endpoint): Buffer {
  const ends = [plain(source), plain(destination)] as const;
  const family = ends.every(({ address }) => isIPv4(address))
    ? 'ip4'
    : ends.every(({ address }) => isIPv6(address))
      ? 'ip6'
      : 'unknown';
  return version === 'v1' ? textHeader(family, ...ends) : binaryHeader(family, ...ends);
}

function textHeader(family: keyof typeof families, source: Endpoint, destination: Endpoint): Buffer {
  if (family === 'unknown') return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  const protocol = family === 'ip4' ? 'TCP4' : 'TCP6';
  const words = ['PROXY', protocol, source.address, destination.address, source.port, destination.port];
  return Buffer.from(`${words.join(' ')}\r\n`, 'latin1');
}

function binaryHeader(family: keyof typeof families, source: Endpoint, destination: Endpoint): Buffer {
  const addresses = family === 'unknown' ? Buffer.alloc(0) : addressBlock(source, destination);
  const head = Buffer.of(family === 'unknown' ? commands.local : commands.proxy, families[family], 0, 0);
  head.writeUInt16BE(addresses.length, 2);
  return Buffer.concat([signature, head, addresses]);
}

function addressBlock(source: Endpoint, destination: Endpoint): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  return Buffer.concat([bytesOf(source.address), bytesOf(destination.address), ports]);
}

/** Without the zone of a link-local address, which means nothing to others. */
function plain({ address, port }: Endpoint): Endpoint {
  return { address: address.replace(/%.*$/, ''), port };
}

/** 4 or 16 bytes. */
function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes every IPv6 address in its one short form, without a dotted end.
  const [before = '', after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [head, tail] = [groupsOf(before), groupsOf(after ?? '')];
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  const bytes = Buffer.alloc(16);
  [...head, ...zeros, ...tail].forEach((group, index) => {
    bytes.writeUInt16BE(group, index * 2);
  });
  return bytes;
}

function groupsOf(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
