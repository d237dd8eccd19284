/**
 * A debug adapter that says much: `source` is answered with a text of so many bytes, `flood` sends so many bytes of
 * `output` in events of 1 to 64 KB before it is answered. All is made before it is asked for, or once.
 */
import { once } from 'node:events';

const line = 'const total = price("tea", 3); // "count" is \\ checked\n';
const kilobytes = [1, 4, 16, 64];

let seq = 0;
function frame(message: object): Buffer {
  const body = Buffer.from(JSON.stringify({ seq: ++seq, ...message }));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}

function textOf(bytes: number): string {
  return line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes);
}

async function send(bytes: Buffer): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
}

async function flood(bytes: number): Promise<void> {
  const events = kilobytes.map((size) =>
    frame({ type: 'event', event: 'output', body: { category: 'stdout', output: textOf(size * 1024) } }),
  );
  for (let sent = 0; sent < bytes; ) {
    for (const event of events) {
      await send(event);
      sent += event.length;
    }
  }
}

interface Request {
  readonly seq: number;
  readonly type: string;
  readonly command: string;
  readonly arguments?: { readonly bytes?: number };
}

let prepared = '';
async function answer({ seq: request_seq, command, arguments: args }: Request): Promise<void> {
  const response = { type: 'response', request_seq, command, success: true };
  const bytes = args?.bytes ?? 0;
  if (command === 'prepare') prepared = textOf(bytes);
  if (command === 'flood') await flood(bytes);
  if (command === 'launch') await send(frame({ type: 'event', event: 'initialized' }));
  await send(frame(command === 'source' ? { ...response, body: { content: prepared } } : response));
}

let pending = Buffer.alloc(0);
for await (const chunk of process.stdin) {
  pending = Buffer.concat([pending, chunk]);
  for (;;) {
    const [head, length] = /^Content-Length: (\d+)\r\n\r\n/.exec(pending.toString('latin1', 0, 64)) ?? [];
    if (head === undefined || pending.length < head.length + Number(length)) break;
    const end = head.length + Number(length);
    const request: Request = JSON.parse(pending.toString('utf8', head.length, end));
    pending = pending.subarray(end);
    if (request.type === 'request') await answer(request);
  }
}
