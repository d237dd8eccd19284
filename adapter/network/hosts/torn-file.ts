/**
 * What a killed writer may have left of a file that it wrote in place, and how it is mended: pure functions over bytes.
 * While a file is overwritten from its front to its back, it is the new content up to some byte and the old one behind it.
 */

/** The content before and after a write that may not have come to its end. */
export interface Overwriting {
  readonly before: Buffer;
  readonly after: Buffer;
}

const magic = 'kubernetes-local overwriting';

/** As it is saved beside the file. */
export function encodeOverwriting({ before, after }: Overwriting): Buffer {
  return Buffer.concat([Buffer.from(`${magic} ${before.length} ${after.length}\n`), before, after]);
}

/** What was saved; undefined if that is something else. */
export function decodeOverwriting(bytes: Buffer): Overwriting | undefined {
  const end = bytes.indexOf('\n');
  const [, first, second] =
    new RegExp(`^${magic} (\\d+) (\\d+)$`).exec(bytes.subarray(0, end).toString('latin1')) ?? [];
  if (first === undefined || second === undefined) return undefined;
  const start = end + 1;
  const middle = start + Number(first);
  if (bytes.length !== middle + Number(second)) return undefined;
  return { before: bytes.subarray(start, middle), after: bytes.subarray(middle) };
}

/** Where two contents begin to differ; the length of the shorter one if it is the beginning of the other. */
export function firstDifference(a: Buffer, b: Buffer): number {
  const end = Math.min(a.length, b.length);
  // Compares in native code; byte by byte only within the piece that differs.
  const piece = 4096;
  let at = 0;
  while (at + piece <= end && a.compare(b, at, at + piece, at, at + piece) === 0) at += piece;
  while (at < end && a[at] === b[at]) at++;
  return at;
}

/**
 * The content that the write was to make, with what somebody appended since; undefined if the file is not torn: the write had
 * not begun, had ended, or somebody has saved another content since, who saw what was there.
 */
export function mend(current: Buffer, { before, after }: Overwriting): Buffer | undefined {
  if (current.length < before.length || current.subarray(0, before.length).equals(before)) {
    // Longer: perhaps the first bytes of what was to be appended, but only if there is nothing else of it.
    return isHalfAppended(current, { before, after }) ? after : undefined;
  }
  const written = firstDifference(current, after);
  if (written === after.length && before.length <= after.length) return undefined;
  if (oldFrom(current, before) > written) return undefined;
  return Buffer.concat([after, current.subarray(Math.max(before.length, Math.min(written, current.length)))]);
}

function isHalfAppended(current: Buffer, { before, after }: Overwriting): boolean {
  return (
    current.length > before.length && current.length < after.length && after.subarray(0, current.length).equals(current)
  );
}

/** From which byte on the file is still the old one, up to the old one's end. */
function oldFrom(current: Buffer, before: Buffer): number {
  let at = before.length;
  while (at > 0 && current[at - 1] === before[at - 1]) at--;
  return at;
}
