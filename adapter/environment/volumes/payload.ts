/** The files of one volume before they are written, and which paths kubelet allows for them. */
import { posix } from 'node:path';

/** One file. */
export interface VolumeFile {
  readonly data: Uint8Array;
  /** The permission bits. */
  readonly mode: number;
}

/** Path in the volume → file. */
export type Payload = ReadonlyMap<string, VolumeFile>;

const longestName = 255;
const longestPath = 4096;

/** Why kubelet would refuse this path, or undefined if it is good. Lengths are in bytes. */
export function pathFault(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (path.startsWith('/')) return 'it is absolute';
  if (Buffer.byteLength(path) > longestPath) return `it is longer than ${longestPath} bytes`;
  const parts = path.split('/');
  if (parts.includes('..')) return 'it contains ".."';
  if (parts.some((part) => Buffer.byteLength(part) > longestName))
    return `a name in it is longer than ${longestName} bytes`;
  if (parts[0]?.startsWith('..')) return 'it starts with ".."';
  return undefined;
}

/** The path without what means nothing in it: `a//b/./c` is `a/b/c`. */
export function cleanPath(path: string): string {
  return posix.normalize(path).replace(/\/$/, '');
}
