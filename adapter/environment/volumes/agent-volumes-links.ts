/** Which symbolic links of a volume may be made here: those that stay inside it, whatever other links they lead through. */
import { posix } from 'node:path';

/** As many links as Linux follows before it gives up. */
const mostHops = 40;

/**
 * Where each link leads to here, relative to the folder it is in; undefined: out of the volume. All texts have one character a
 * byte. `links`: path → target, for all links of the volume. `mountPath`: where the volume is in the container; an absolute
 * target in it is made relative.
 */
export function linksInside(
  links: ReadonlyMap<string, string>,
  mountPath: string,
): ReadonlyMap<string, string | undefined> {
  return new Map(
    [...links].map(([path, target]) => {
      const relative = relativeTarget(path, target, mountPath);
      return [path, relative !== undefined && staysInside(path, links, mountPath) ? relative : undefined];
    }),
  );
}

function relativeTarget(path: string, target: string, mountPath: string): string | undefined {
  if (!target.startsWith('/')) return target;
  const inside = beneath(target, mountPath);
  if (inside === undefined) return undefined;
  // Not normalized: "a/.." is not where it was if "a" is a link.
  const up = '../'.repeat(path.split('/').length - 1);
  return `${up}${inside}` === '' ? '.' : `${up}${inside}`;
}

/** The rest of an absolute path beneath the mount path; undefined if it is not. */
function beneath(target: string, mountPath: string): string | undefined {
  const root = mountPath === '/' ? '' : posix.normalize(mountPath).replace(/\/$/, '');
  if (target === root) return '';
  return target.startsWith(`${root}/`) ? target.slice(root.length + 1).replace(/^\/+/, '') : undefined;
}

/** Follows the path of a link name by name, as the system does. */
function staysInside(path: string, links: ReadonlyMap<string, string>, mountPath: string): boolean {
  const waiting = path.split('/');
  let place: string[] = [];
  let hops = 0;
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (place.pop() === undefined) return false;
      continue;
    }
    const target = links.get([...place, name].join('/'));
    if (target === undefined) {
      place.push(name);
      continue;
    }
    hops += 1;
    if (hops > mostHops) return false;
    if (target.startsWith('/')) {
      const inside = beneath(target, mountPath);
      if (inside === undefined) return false;
      place = [];
      waiting.unshift(...inside.split('/'));
    } else waiting.unshift(...target.split('/'));
  }
  return true;
}
