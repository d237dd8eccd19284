/** The reaper's log: one JSON object a line on standard output, where `kubectl logs` finds it. */
import type { Log } from '../diagnostics/log.ts';
import { Redactor } from '../diagnostics/redactor.ts';

const redactor = new Redactor();

export const logToStandardOutput: Log = {
  redactor,
  write: (level, message, details = {}) => {
    const line = Object(redactor.redactData({ message, ...details }));
    process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, ...line })}\n`);
  },
};
