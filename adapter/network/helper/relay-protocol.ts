/** What the helper says to its relay, and what that says to the client about a connection before its bytes: one line of JSON. */
import type { ChildProcess, SendHandle } from 'node:child_process';
import type { Socket } from 'node:net';
import { z } from 'zod';
import { listenerSchema } from './helper-protocol.ts';

/** Which listener a connection came from, and the proof that a process says so which can read the meeting place. */
const relayHeaderSchema = z.strictObject({ token: z.string().max(200), listener: listenerSchema });
export type RelayHeader = z.infer<typeof relayHeaderSchema>;

const longestHeader = 500;
const patienceMilliseconds = 10_000;

/** The line as it is sent. */
export function encodeRelayHeader(header: RelayHeader): string {
  return `${JSON.stringify(header)}\n`;
}

/** Reads the line, with the bytes that came behind it; undefined if what comes is none, or nothing comes. The socket is paused then. */
export function readRelayHeader(socket: Socket): Promise<{ header: RelayHeader; rest: Buffer } | undefined> {
  return new Promise((resolve) => {
    let read: Buffer = Buffer.alloc(0);
    const finish = (result: { header: RelayHeader; rest: Buffer } | undefined) => {
      clearTimeout(timer);
      socket.off('data', take).off('close', fail).pause();
      resolve(result);
    };
    const fail = () => finish(undefined);
    const take = (data: Buffer) => {
      read = Buffer.concat([read, data]);
      const end = read.indexOf('\n');
      if (end >= 0) {
        const header = parse(read.subarray(0, end).toString());
        finish(header && { header, rest: read.subarray(end + 1) });
      } else if (read.length > longestHeader) fail();
    };
    const timer = setTimeout(fail, patienceMilliseconds);
    socket.on('data', take).once('close', fail);
  });
}

function parse(line: string): RelayHeader | undefined {
  try {
    return relayHeaderSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/**
 * From the helper to its relay process: first whom it works for; then, with its socket, a `connection` that came or a UDP port
 * for `datagrams`; `closed`: that port is to be closed.
 */
export const relayOrderSchema = z.union([
  z.strictObject({ directory: z.string(), uid: z.number().int(), token: z.string() }),
  z.strictObject({ kind: z.enum(['connection', 'datagrams', 'closed']), listener: listenerSchema }),
]);
export type RelayOrder = z.infer<typeof relayOrderSchema>;

/** Resolves when the relay has it; rejects if it is gone. */
export function sendToRelay(relay: ChildProcess, order: RelayOrder, socket?: SendHandle): Promise<void> {
  return new Promise((resolve, reject) => {
    relay.send(order, socket, {}, (error) => (error ? reject(error) : resolve()));
  });
}
