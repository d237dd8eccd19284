/** Time that really passed: it goes on while the computer sleeps, and no one can set it. */
import { uptime } from 'node:os';

/**
 * Milliseconds since the computer started. `Date.now` jumps when the clock is set; `performance.now` stands still while
 * Linux and macOS sleep. Linux tells hundredths of a second (CLOCK_BOOTTIME), so it is for seconds, not for measurements.
 */
export function elapsed(): number {
  return uptime() * 1000;
}
