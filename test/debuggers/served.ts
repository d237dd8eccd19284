/**
 * The debug adapter with surroundings that have no cluster, as a process for tests and measurements:
 * `served.ts [--delegate TYPE] [--port N] [--connect MS] [--undo MS] [--journal FILE] [--private] [-- COMMAND]`.
 * The program gets the variable GREETING. What is done with the surroundings goes to the journal, line by line.
 * With `--private` they are a private network (Linux), and the journal says of each process whether it is in there.
 */
import { appendFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseLaunchArguments } from '../../adapter/cli/launch-arguments.ts';
import { serve } from '../../adapter/dap/proxy.ts';
import { serveMany } from '../../adapter/dap/server/server.ts';
import type { Surroundings } from '../../adapter/dap/surroundings.ts';
import { silentLog } from '../../adapter/diagnostics/log.ts';
import { openPrivateNetwork, type PrivateNetwork } from '../../adapter/network/namespace/private-network.ts';

const { values, positionals: command } = parseArgs({
  allowPositionals: true,
  options: {
    delegate: { type: 'string' },
    port: { type: 'string' },
    connect: { type: 'string', default: '0' },
    undo: { type: 'string', default: '0' },
    journal: { type: 'string' },
    private: { type: 'boolean', default: false },
  },
});

function note(what: string): void {
  if (values.journal !== undefined) appendFileSync(values.journal, `${what}\n`);
}

const main = fileURLToPath(new URL('../../adapter/cli/main.ts', import.meta.url));

/** A private network without Services. */
function openPrivate(signal: AbortSignal): Promise<PrivateNetwork> {
  return openPrivateNetwork({
    log: silentLog,
    command: [process.execPath, main],
    accept: (_address, _port, socket) => socket.destroy(),
    acceptDatagrams: (_address, _port, socket) => ({ [Symbol.asyncDispose]: async () => void socket.close() }),
    notice: note,
    signal,
  });
}

function networkOf(process: number | 'self'): string {
  return readlinkSync(`/proc/${process}/ns/net`);
}

function surroundings(): Surroundings {
  let network: PrivateNetwork | undefined;
  return {
    parse: parseLaunchArguments,
    connect: async (_args, { progress }, signal) => {
      note('connecting');
      const milliseconds = Number(values.connect);
      if (milliseconds > 0) progress('Connecting to nothing');
      await delay(milliseconds, undefined, { signal });
      if (values.private) network = await openPrivate(signal);
      note('connected');
      const { prefix, dialSocket } = network ?? {};
      return {
        environment: { GREETING: 'from the cluster' },
        ...(prefix && dialSocket && { place: { prefix: [...prefix], dialSocket } }),
        summary: 'Connected.',
      };
    },
    processStarted: (pid, role) => {
      if (network) note(`${role} ${networkOf(pid) === networkOf('self') ? 'outside' : 'inside'}`);
    },
    disconnect: async (_budget, keep) => {
      await delay(Number(values.undo));
      await network?.[Symbol.asyncDispose]();
      note(keep === undefined ? 'undone' : `kept for ${keep.for}`);
      return keep === undefined ? 'undone' : 'kept';
    },
  };
}

const { delegate, port } = values;
const options = {
  log: silentLog,
  ...(delegate !== undefined && { delegate }),
  ...(command.length > 0 && { debugAdapter: { command } }),
};
process.exitCode =
  port === undefined
    ? await serve({ ...options, input: process.stdin, output: process.stdout, surroundings: surroundings() })
    : await serveMany({
        place: { port: Number(port) },
        stay: false,
        log: silentLog,
        open: () => ({ options: { ...options, surroundings: surroundings() }, close: async () => {} }),
        say: (line) => void process.stdout.write(`${line}\n`),
        warn: (line) => void process.stderr.write(`${line}\n`),
      });
