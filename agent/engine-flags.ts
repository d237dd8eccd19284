/**
 * How V8 is to keep memory in the two programs that carry data, the agent and the session's daemon.
 *
 * The bytes of a buffer lie outside of the JavaScript heap, where some hundred bytes stand for them. With the usual 16 MiB
 * for young objects hundreds of megabytes have passed before these are full, and V8 marks and sweeps its whole heap
 * instead, each time 64 MiB of such bytes have come (kExternalAllocationSoftLimit): 55 to 87 times for a gigabyte, more than half
 * of the daemon's processor time. With 1 MiB they are freed by collections of the young objects alone; docs/performance.md
 * has the figures.
 */
export const engineFlags: readonly string[] = ['--max-semi-space-size=1'];

/** A command that starts this program by the Node that runs it, with flags for its engine. */
export function withEngineFlags(command: readonly string[], flags: readonly string[]): readonly string[] {
  const after = command.indexOf(process.execPath) + 1;
  return after === 0 ? command : [...command.slice(0, after), ...flags, ...command.slice(after)];
}
