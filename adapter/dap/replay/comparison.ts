/** Compares a recorded message with the one of a replay: what a trace masks or cuts, it cannot tell. */
import { isDeepStrictEqual } from 'node:util';
import { field, isRaw, type Raw } from '../message.ts';
import { maskedValue } from '../trace/content.ts';

/** At the end of a string that was cut; secrets are masked as diagnostics/redactor.ts does it. */
const cutShort = /«\d+ characters in all»$/;
/** In a list or an object: how much is missing behind this. */
const more = /^«\d+ more»$/;
/** Files that this program makes for a session stand in a folder with a random name. */
const ownFolder = /[^\s"']*kubernetes-local-[\w-]+(?=[/\\])/g;
/** Problems that quote what the process of a debugger wrote. */
const quoting = new Set<unknown>(['delegate-died', 'delegate-missing']);

/** The keys that lead to the first difference (`body`, `threads`, `0`, `name`); undefined if there is none. */
export function difference(recorded: Raw, now: Raw): readonly string[] | undefined {
  return within(comparable(recorded), comparable(now), []);
}

/** A message without what differs from run to run. */
function comparable(message: Raw): Raw {
  const { seq, ...rest } = message;
  const { arguments: args, body } = message;
  if (message.command === 'runInTerminal' && isRaw(args) && Array.isArray(args.args)) {
    // Before it stands how this very Node runs it.
    const launcher = args.args.findIndex((word) => typeof word === 'string' && /[/\\]launch\.mjs$/.test(word));
    return { ...rest, arguments: { ...args, args: args.args.slice(launcher + 1) } };
  }
  const error = field(body, 'error');
  if (quoting.has(message.message) && isRaw(body) && isRaw(error)) {
    const { format, ...told } = error;
    return { ...rest, body: { ...body, error: told } };
  }
  return rest;
}

function within(recorded: unknown, now: unknown, path: readonly string[]): readonly string[] | undefined {
  if ((recorded === maskedValue && now !== undefined) || isDeepStrictEqual(recorded, now)) return undefined;
  if (typeof recorded === 'string' && typeof now === 'string') return sameText(recorded, now) ? undefined : path;
  if (Array.isArray(recorded) && Array.isArray(now)) return withinList(recorded, now, path);
  if (!isRaw(recorded) || !isRaw(now) || isNumber(recorded) || isNumber(now)) {
    return JSON.stringify(recorded) === JSON.stringify(now) ? undefined : path;
  }
  const cut = '«more»' in recorded || '«more»' in now;
  for (const key of new Set([...Object.keys(recorded), ...Object.keys(now)])) {
    if (cut && (!(key in recorded) || !(key in now) || key === '«more»')) continue;
    const found = within(recorded[key], now[key], [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function withinList(recorded: readonly unknown[], now: readonly unknown[], path: readonly string[]) {
  const [known, seen] = [kept(recorded), kept(now)];
  const cut = known.length < recorded.length || seen.length < now.length;
  if (!cut && known.length !== seen.length) return [...path, String(Math.min(known.length, seen.length))];
  for (const [index, value] of known.entries()) {
    if (index >= seen.length) break;
    const found = within(value, seen[index], [...path, String(index)]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function kept(list: readonly unknown[]): readonly unknown[] {
  const last = list.at(-1);
  return typeof last === 'string' && more.test(last) ? list.slice(0, -1) : list;
}

function sameText(recorded: string, now: string): boolean {
  const [known, seen] = [withoutFolders(recorded), withoutFolders(now)];
  const whole = known.replace(cutShort, '');
  const [first = '', ...others] = whole.split('«redacted»');
  if (!seen.startsWith(first)) return false;
  let at = first.length;
  for (const piece of others) {
    const found = seen.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  const last = others.at(-1);
  if (whole !== known) return true;
  return last === undefined ? seen.length === at : seen.length >= at && seen.endsWith(last);
}

function withoutFolders(text: string): string {
  return text.includes('kubernetes-local-') ? text.replace(ownFolder, '') : text;
}

/** An integer that no double holds, see json.ts. */
function isNumber(value: object): boolean {
  return JSON.isRawJSON(value);
}
