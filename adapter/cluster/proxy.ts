/** Which proxy leads to the API server: the rules of kubectl, that is of Go's http.ProxyFromEnvironment. */
import { BlockList, isIP } from 'node:net';

/**
 * The proxy URL from HTTPS_PROXY, HTTP_PROXY and NO_PROXY (either case) for a server URL; undefined: connect directly.
 * Loopback addresses never go through a proxy. Source: golang.org/x/net/http/httpproxy.
 */
export function proxyFromEnvironment(
  server: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const url = new URL(server);
  const read = (name: string) => environment[name] || environment[name.toLowerCase()] || undefined;
  const proxy = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (proxy === undefined) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (isLoopback(host)) return undefined;
  const exceptions = (read('NO_PROXY') ?? '').split(',').map((entry) => entry.trim().toLowerCase());
  if (exceptions.some((entry) => entry !== '' && isExcepted(entry, host, port))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function isExcepted(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [address, prefix] = entry.split('/');
  const family = isIP(address ?? '');
  if (prefix !== undefined && family !== 0 && address !== undefined) {
    const bits = Number(prefix);
    if (isIP(host) !== family || !Number.isInteger(bits) || bits < 0 || bits > (family === 4 ? 32 : 128)) return false;
    const range = new BlockList();
    range.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
    return range.check(host, family === 4 ? 'ipv4' : 'ipv6');
  }
  const withPort = /^(?<name>\[[^\]]+\]|[^:]+):(?<port>\d+)$/.exec(entry)?.groups;
  if (withPort?.port !== undefined && withPort.port !== port) return false;
  const name = (withPort?.name ?? entry).replace(/^\[|\]$/g, '').replace(/^\*\./, '.');
  if (isIP(name) !== 0) return name === host;
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}
