/**
 * Edits of a hosts file as pure functions: bytes in, bytes out.
 * Every line of ours names its session, so that undoing is leaving out exactly these lines: whatever else happened to the
 * file meanwhile, even to a fence, a line of the user's is never taken for ours.
 */
import { EOL } from 'node:os';
import { crc32 } from 'node:zlib';
import { Problem } from '../../problem.ts';
import type { ProcessIdentity } from '../../processes/identity.ts';

/** An address and the names that lead to it. */
export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** What one session has in the file. */
export interface HostsBlock {
  readonly session: string;
  /** The process that promised to undo it; undefined if its first line was damaged. */
  readonly owner: ProcessIdentity | undefined;
  readonly entries: readonly HostsEntry[];
}

/** Windows reads no more names from one line. */
const namesPerLine = 9;

const sessionPattern = /^[A-Za-z0-9._-]{1,64}$/;
const byteOrderMark = '\u00ef\u00bb\u00bf';
const beginning = /^# BEGIN kubernetes-local session=(\S+) pid=(\d+) start=(\S+)(?: newline-added=([0-9a-f]{8}))?\s*$/;
const ending = /^# END kubernetes-local session=(\S+)\s*$/;
const entry = /^(::ffff:)?(127(?:\.\d{1,3}){3}) ([a-z0-9. -]+) # kubernetes-local session=(\S+)\s*$/;

type Line =
  | { readonly kind: 'begin'; readonly session: string; readonly owner: ProcessIdentity; readonly newline?: string }
  | { readonly kind: 'entry'; readonly session: string; readonly entry: HostsEntry }
  | { readonly kind: 'mapped'; readonly session: string }
  | { readonly kind: 'end'; readonly session: string }
  | { readonly kind: 'foreign'; readonly session: undefined };

/** The blocks of all sessions, in the order of their first lines. */
export function blocksIn(bytes: Uint8Array): readonly HostsBlock[] {
  const blocks = new Map<string, { owner: ProcessIdentity | undefined; entries: HostsEntry[] }>();
  for (const text of linesOf(open(bytes).body)) {
    const line = parse(text);
    if (line.kind === 'foreign') continue;
    const block = blocks.get(line.session) ?? { owner: undefined, entries: [] };
    blocks.set(line.session, block);
    if (line.kind === 'begin') block.owner = line.owner;
    if (line.kind === 'entry') block.entries.push(line.entry);
  }
  return [...blocks].map(([session, block]) => ({ session, ...block }));
}

/**
 * The same names at the same address as IPv6 has it. With lines for IPv4 alone, glibc asks the real DNS for a name of ours as
 * soon as a program wants IPv6 addresses only (seen with C, Python, Node and `getent hosts`; not with Go, nor where both
 * families are asked for at once). Such an address connects to the IPv4 listener like the other. The price: programs that ask
 * glibc for IPv4 alone get each address twice. test/e2e/workstation-lookups.test.ts fails if a lookup leaves.
 */
export function mapped({ address, names }: HostsEntry): HostsEntry {
  return { address: `::ffff:${address}`, names };
}

/**
 * The file with this block, in place of an earlier one of the same session.
 * `first` puts it before the user's own lines, for the first match wins; otherwise it comes last.
 * With `IPv4 and IPv6` each address is there a second time, see `mapped`. Line ends are the file's; a byte order mark stays in front. Problem hosts-unwritable for UTF-16.
 */
export function withBlock(
  bytes: Uint8Array,
  block: HostsBlock & { readonly owner: ProcessIdentity },
  position: 'first' | 'last',
  families: 'IPv4' | 'IPv4 and IPv6' = 'IPv4',
): Buffer {
  if (!sessionPattern.test(block.session)) throw new RangeError(`not a session's id: ${block.session}`);
  const { mark, body } = open(withoutBlock(bytes, block.session));
  if (/^(?:\u00ff\u00fe|\u00fe\u00ff)/.test(body)) {
    throw new Problem({
      code: 'hosts-unwritable',
      what: 'The hosts file is not changed.',
      why: 'It is in UTF-16, which name resolution does not read.',
      remedy: 'Save the hosts file as UTF-8 or plain ASCII.',
    });
  }
  const end = lineEndOf(body);
  const unended = position === 'last' && body !== '' && !body.endsWith('\n');
  const lastLine = body.slice(body.lastIndexOf('\n') + 1);
  const lines = [
    `# BEGIN kubernetes-local session=${block.session} pid=${block.owner.pid} start=${block.owner.start}${
      unended ? ` newline-added=${checksum(lastLine)}` : ''
    }`,
    ...(families === 'IPv4' ? block.entries : [...block.entries, ...block.entries.map(mapped)]).flatMap(
      ({ address, names }) =>
        chunks(names).map((some) => `${address} ${some.join(' ')} # kubernetes-local session=${block.session}`),
    ),
    `# END kubernetes-local session=${block.session}`,
  ];
  const text = lines.map((line) => line + end).join('');
  return close(mark, position === 'first' ? text + body : body + (unended ? end : '') + text);
}

/**
 * The file without this session's lines; the same bytes if it has none.
 * A newline that was added to the user's last line goes too, as long as it still ends that very line and nothing follows;
 * if another session's block follows, that one takes over the knowledge of it.
 */
export function withoutBlock(bytes: Uint8Array, session: string): Buffer {
  const { mark, body } = open(bytes);
  const kept: string[] = [];
  const added: { index: number; newline: string }[] = [];
  for (const text of linesOf(body)) {
    const line = parse(text);
    if (line.session !== session) kept.push(text);
    else if (line.kind === 'begin' && line.newline !== undefined)
      added.push({ index: kept.length, newline: line.newline });
  }
  for (const { index, newline } of added.reverse()) {
    const next = kept[index];
    const before = kept[index - 1];
    if (next !== undefined) {
      const line = parse(next);
      if (line.kind === 'begin' && line.newline === undefined) {
        kept[index] = next.replace(/\s*$/, (end) => ` newline-added=${newline}${end}`);
      }
    } else if (before !== undefined) {
      const original = [/\r\n$/, /\n$/].map((end) => before.replace(end, '')).find((it) => checksum(it) === newline);
      if (original !== undefined) kept[index - 1] = original;
    }
  }
  return close(mark, kept.join(''));
}

/** One character a byte, so that any 8-bit encoding comes back as it was. */
function open(bytes: Uint8Array): { mark: string; body: string } {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : '';
  return { mark, body: text.slice(mark.length) };
}

function close(mark: string, body: string): Buffer {
  return Buffer.from(mark + body, 'latin1');
}

function linesOf(body: string): readonly string[] {
  return body.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function lineEndOf(body: string): string {
  const at = body.indexOf('\n');
  if (at < 0) return EOL;
  return body[at - 1] === '\r' ? '\r\n' : '\n';
}

function parse(text: string): Line {
  const begin = beginning.exec(text);
  if (begin?.[1] !== undefined && begin[2] !== undefined && begin[3] !== undefined) {
    const owner = { pid: Number(begin[2]), start: begin[3] };
    return { kind: 'begin', session: begin[1], owner, ...(begin[4] === undefined ? {} : { newline: begin[4] }) };
  }
  const mapping = entry.exec(text);
  if (mapping?.[2] !== undefined && mapping[3] !== undefined && mapping[4] !== undefined) {
    if (mapping[1] !== undefined) return { kind: 'mapped', session: mapping[4] };
    return { kind: 'entry', session: mapping[4], entry: { address: mapping[2], names: mapping[3].split(' ') } };
  }
  const end = ending.exec(text);
  if (end?.[1] !== undefined) return { kind: 'end', session: end[1] };
  return { kind: 'foreign', session: undefined };
}

function chunks(names: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(names.length / namesPerLine) }, (_, index) =>
    names.slice(index * namesPerLine, (index + 1) * namesPerLine),
  );
}

function checksum(line: string): string {
  return crc32(Buffer.from(line, 'latin1')).toString(16).padStart(8, '0');
}
