/** The flags of a mount, which an unprivileged user may not drop when it is made read-only (mount_namespaces(7)). */
import { readFileSync } from 'node:fs';

const kept: ReadonlySet<string> = new Set(['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime']);

/** The flags to give with `remount,bind` for the mount at this path, as /proc/self/mountinfo has it. */
export function flagsToKeep(path: string, table = readFileSync('/proc/self/mountinfo', 'utf8')): readonly string[] {
  const options = table
    .split('\n')
    .map((line) => line.split(' '))
    // Of several mounts at one place the last one is seen.
    .findLast(([, , , , at = '']) => unescaped(at) === path)?.[5]
    ?.split(',');
  const flags = options?.filter((option) => kept.has(option)) ?? [];
  const hasTimes = flags.includes('noatime') || flags.includes('relatime');
  return hasTimes ? flags : [...flags, 'strictatime'];
}

/** proc(5): space, tab, line feed and backslash are written as octal numbers. */
function unescaped(text: string): string {
  const bytes = text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return bytes;
}
