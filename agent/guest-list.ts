/** `POST /guests`: the holder says who may look. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { type KeyRing, parseGuests } from './key-ring.ts';
import type { AgentLog } from './log.ts';
import { errorHeader, guestsPath } from './protocol.ts';

/** Characters of a list; a full one has some hundred for each guest. */
const longest = 16_384;

export const isGuestList = (headers: IncomingHttpHeaders): boolean =>
  headers[':method'] === 'POST' && headers[':path'] === guestsPath;

/** Reads the list and puts it in force; `onChange` is called when it is. Never throws or rejects. */
export function answerGuestList(stream: ServerHttp2Stream, keys: KeyRing, onChange: () => void, log: AgentLog): void {
  stream.on('error', () => {});
  const respond = (headers: Readonly<Record<string, string | number>>): void => {
    if (!stream.destroyed && !stream.closed) stream.respond(headers, { endStream: true });
  };
  readText(stream).then(
    (json) => {
      try {
        keys.setGuests(parseGuests(json));
      } catch (error) {
        log('warn', 'list of guests refused', { reason: error instanceof Error ? error.message : String(error) });
        respond({ ':status': 400, [errorHeader]: 'EINVAL' });
        return;
      }
      log('info', 'guests', { guests: keys.guests.map(({ name }) => name) });
      onChange();
      respond({ ':status': 200 });
    },
    () => respond({ ':status': 400, [errorHeader]: 'EINVAL' }),
  );
}

async function readText(stream: ServerHttp2Stream): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.length > longest) throw new Error('the list is too long');
  }
  return text;
}
