/** The agent's log: one JSON object a line on standard output, where `kubectl logs` finds it. Never any payload. */

export type AgentLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  details?: Readonly<Record<string, unknown>>,
) => void;

/** Writes one line to standard output. */
export const logToStandardOutput: AgentLog = (level, message, details = {}) => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...details })}\n`);
};
