/** Names with `*` for any characters, as the ancestor's file and the choice of variables use them. */

/** Whether `name` is what `pattern` stands for; `*` stands for any characters, all others for themselves. */
export function matchesWildcard(pattern: string, name: string, ignoreCase: boolean): boolean {
  const source = pattern
    .split('*')
    .map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`, ignoreCase ? 'isu' : 'su').test(name);
}
