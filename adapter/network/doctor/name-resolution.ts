/** Whether programs here would ask the hosts file for a name, and nobody before it. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Finding, limited, notPossible, ok } from './finding.ts';

/** Services of nsswitch.conf(5) that answer only for names of their own, or from the hosts file as well (resolve). */
const harmless = new Set([
  'myhostname',
  'mymachines',
  'mdns',
  'mdns4',
  'mdns6',
  'mdns_minimal',
  'mdns4_minimal',
  'mdns6_minimal',
  'resolve',
]);

/** The order in which the C library asks; undefined where there is no such file (macOS, Windows, musl). */
export async function switchFinding(path = '/etc/nsswitch.conf'): Promise<Finding | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : judgeSwitch(text, path);
}

/** The finding for the content of an nsswitch.conf. */
export function judgeSwitch(text: string, path: string): Finding {
  const subject = 'name resolution';
  const line = /^[ \t]*hosts:([^\n#]*)/m.exec(text)?.[1];
  const services = (line ?? 'files dns')
    .replace(/\[[^\]]*\]/g, ' ')
    .trim()
    .split(/\s+/);
  const files = services.indexOf('files');
  const remedy = `Put "files" first in the line "hosts:" of ${path}.`;
  if (files < 0) {
    return notPossible(subject, `${path} does not name the hosts file ("files") in its line "hosts:".`, remedy);
  }
  const before = services.slice(0, files).filter((service) => !harmless.has(service));
  if (before.length === 0) return ok(subject, `Programs ask the hosts file first (${services.join(' ')}).`);
  return limited(
    subject,
    `Programs ask ${before.join(', ')} before the hosts file, which may answer otherwise.`,
    remedy,
  );
}

/** Programs that remember names: they are told to forget. */
const caches = [
  { name: 'systemd-resolved', path: '/run/systemd/resolve', tool: 'resolvectl' },
  { name: 'nscd', path: '/run/nscd/socket', tool: 'nscd' },
] as const;

/** Which caches run here, and whether they can be told to forget. */
export function cachesFinding(
  folders: readonly string[] = (process.env.PATH ?? '').split(':'),
  exists: (path: string) => boolean = existsSync,
): Finding {
  const subject = 'name caches';
  const running = caches.filter(({ path }) => exists(path));
  const places = [...folders, '/usr/bin', '/usr/sbin', '/bin', '/sbin'];
  const deaf = running.filter(({ tool }) => !places.some((folder) => exists(`${folder}/${tool}`)));
  if (deaf.length > 0) {
    const names = deaf.map(({ name, tool }) => `${name} (${tool} is missing)`).join(', ');
    return limited(subject, `These cannot be told to forget names: ${names}. A name may be wrong for some minutes.`);
  }
  if (running.length === 0) return ok(subject, 'No cache of names was found.');
  return ok(subject, `${running.map(({ name }) => name).join(', ')} will be told when names change.`);
}

/** Whether programs that heed these variables would send requests for our names to a proxy. */
export function proxyFinding(environment: NodeJS.ProcessEnv): Finding {
  const subject = 'proxy';
  const value = (name: string) => environment[name] || environment[name.toUpperCase()];
  const set = ['http_proxy', 'https_proxy', 'all_proxy'].filter((name) => value(name));
  if (set.length === 0) return ok(subject, 'No proxy is set.');
  const except = (value('no_proxy') ?? '').split(',').map((entry) => entry.trim());
  if (except.includes('*')) return ok(subject, 'A proxy is set, and NO_PROXY excludes everything from it.');
  const wanted = ['.svc', '.cluster.local', '127.0.0.0/8'].filter(
    (entry) => !except.includes(entry) && !except.includes(`*${entry}`) && !except.includes(entry.replace(/^\./, '')),
  );
  const bare = 'Bare names such as prices have to be added one by one.';
  if (wanted.length === 0) return ok(subject, `A proxy is set, and NO_PROXY has the cluster's names. ${bare}`);
  return limited(
    subject,
    `${set.join(', ')} is set: programs that heed it ask the proxy for names of the cluster, which it does not know.`,
    `Add to NO_PROXY: ${['prices', ...wanted].join(',')} (for "prices" the names of the Services you call).`,
  );
}
