/** The debug adapter with surroundings that only hand over one environment variable: a process for tests. */

import { isRaw } from '../../../adapter/dap/message.ts';
import { serve } from '../../../adapter/dap/proxy.ts';
import { silentLog } from '../../../adapter/diagnostics/log.ts';

const [delegate] = process.argv.slice(2);

process.exitCode = await serve({
  input: process.stdin,
  output: process.stdout,
  ...(delegate === undefined ? {} : { delegate }),
  log: silentLog,
  surroundings: {
    parse: (args, request) => ({
      delegateType: 'debugpy',
      request,
      delegateArguments: isRaw(args) && isRaw(args.delegate) ? { ...args.delegate } : {},
    }),
    connect: async () => ({ environment: { GREETING: 'from the cluster' }, summary: 'Connected.' }),
    processStarted: () => {},
    disconnect: async () => 'undone',
  },
});
