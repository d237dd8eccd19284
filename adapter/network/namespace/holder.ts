/**
 * A process that keeps namespaces alive and acts in them for the daemon: the life that both roles have in common.
 * It ends with its IPC channel, however the daemon ended; the namespaces end with their last process.
 */
import type { SendHandle, Serializable } from 'node:child_process';
import { Socket as DatagramSocket } from 'node:dgram';
import { Server } from 'node:net';
import { argumentSchema, type HolderReply, requestSchema, startedId } from './holder-protocol.ts';
import type { Holder } from './holder-role.ts';
import { ProgramHolder } from './program-holder.ts';
import { ServicesHolder } from './services-holder.ts';

/** Runs a holder until its channel is closed. Rejects if it was not started by the daemon. */
export async function runHolder(argument: string): Promise<void> {
  if (process.send === undefined) throw new Error('started without a channel; the daemon starts this process');
  // A terminal's Ctrl-C and its closing reach the whole group; the daemon decides about the end.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  // Nobody reads it any more once the daemon is killed.
  process.stderr.on('error', () => {});
  const parsed = argumentSchema.parse(JSON.parse(Buffer.from(argument, 'base64url').toString()));
  // Keeps no folder of the user's busy.
  process.chdir('/');
  const holder: Holder = parsed.role === 'program' ? new ProgramHolder(parsed) : new ServicesHolder(parsed);
  const ended = new Promise<void>((resolve) => {
    process.once('disconnect', resolve);
    process.once('SIGTERM', () => resolve());
  });
  process.on('message', (message: Serializable) => void answer(holder, message));
  reply({ id: startedId });
  await ended;
  holder.end();
}

async function answer(holder: Holder, message: Serializable): Promise<void> {
  const parsed = requestSchema.safeParse(message);
  if (!parsed.success) {
    process.stderr.write(`refused a request: ${parsed.error.message}\n`);
    return;
  }
  const { id } = parsed.data;
  try {
    const { handle, ...values } = await holder.act(parsed.data);
    reply({ id, ...values }, handle);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const code = error instanceof Error && 'code' in error ? { code: String(error.code) } : {};
    reply({ id, error: { message: text, ...code } });
  }
}

function reply(message: HolderReply, handle?: SendHandle): void {
  process.send?.(message, handle, undefined, () => {
    // A connection is closed here when it has been received; of the others each process has its own, and only one may take
    // what arrives.
    if (handle instanceof Server || handle instanceof DatagramSocket) handle.close();
  });
}
