/**
 * Stands for the daemon in tests: a process that opens a private network and does what the lines of its standard input say.
 * As a process of its own it can be another user's, and be killed. Its arguments are the command that starts our program.
 */
import { accessSync, constants } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { silentLog } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { serveDatagrams } from '../../tunnel/datagram-listener.ts';
import { echo } from '../../tunnel/datagram-test-bed.ts';
import { openPrivateNetwork } from './private-network.ts';

const place = z.object({
  address: z.string(),
  names: z.array(z.string()),
  ports: z.array(z.number()),
  udpPorts: z.array(z.number()).default([]),
});
const commandSchema = z.union([
  z.object({ update: z.array(place) }),
  z.object({ dialProgram: z.number() }),
  z.object({
    mounts: z.array(z.object({ mountPath: z.string(), localPath: z.string(), readOnly: z.boolean() })),
  }),
  z.object({ end: z.literal(true) }),
]);

const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const never = new AbortController().signal;

function canOpenTun(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

try {
  const network = await openPrivateNetwork({
    log: silentLog,
    command: process.argv.slice(2),
    accept: (address, port, socket) => {
      socket.on('error', () => {});
      // Half-closed states are kept: the answer comes after the end of the question.
      socket.resume().once('end', () => socket.end(`${address}:${port}`));
    },
    acceptDatagrams: (address, port, socket) => {
      const destination = { dial: { host: address } };
      return serveDatagrams(socket, { dial: () => echo(destination, port), onError: () => {} });
    },
    notice: (text) => say({ notice: text }),
    excludes: (port) => port === 8099,
    signal: never,
  });
  const { prefix, lost, dialSocket, pid } = network;
  say({ prefix, lost, dialSocket, pid, tun: canOpenTun() });
  void network.closed.then((why) => say({ closed: why }));
  for await (const line of createInterface({ input: process.stdin })) {
    const command = commandSchema.parse(JSON.parse(line));
    if ('end' in command) break;
    if ('mounts' in command) say({ remarks: await network.showMounts(command.mounts, never) });
    else if ('update' in command) say({ shadowed: await network.update(command.update, never) });
    else {
      const socket = await network.dialProgram(command.dialProgram);
      say({ dialled: socket === undefined ? 'nothing listens' : await text(socket.end('question')) });
    }
  }
  await network[Symbol.asyncDispose]();
  process.exit();
} catch (error) {
  say({ problem: Problem.from(error) });
}

async function text(stream: AsyncIterable<unknown>): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
}
