/**
 * The debug adapter with surroundings that have no cluster, as a process for tests and measurements:
 * `served.ts [--delegate TYPE] [--port N] [--connect MS] [--undo MS] [--journal FILE] [-- COMMAND]`.
 * The program gets the variable GREETING. What is done with the surroundings goes to the journal, line by line.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseLaunchArguments } from '../../adapter/cli/launch-arguments.ts';
import { serve } from '../../adapter/dap/proxy.ts';
import { serveMany } from '../../adapter/dap/server/server.ts';
import type { Surroundings } from '../../adapter/dap/surroundings.ts';
import { silentLog } from '../../adapter/diagnostics/log.ts';

const { values, positionals: command } = parseArgs({
  allowPositionals: true,
  options: {
    delegate: { type: 'string' },
    port: { type: 'string' },
    connect: { type: 'string', default: '0' },
    undo: { type: 'string', default: '0' },
    journal: { type: 'string' },
  },
});

function note(what: string): void {
  if (values.journal !== undefined) appendFileSync(values.journal, `${what}\n`);
}

function surroundings(): Surroundings {
  return {
    parse: parseLaunchArguments,
    connect: async (_args, { progress }, signal) => {
      note('connecting');
      const milliseconds = Number(values.connect);
      if (milliseconds > 0) progress('Connecting to nothing');
      await delay(milliseconds, undefined, { signal });
      note('connected');
      return { environment: { GREETING: 'from the cluster' }, summary: 'Connected.' };
    },
    processStarted: () => {},
    disconnect: async (_budget, keep) => {
      await delay(Number(values.undo));
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
