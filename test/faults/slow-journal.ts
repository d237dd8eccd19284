/**
 * Slows what a daemon does to its journal, by strace: between the end of the Lease and that of the journal is less than a
 * millisecond, in which nobody could be struck.
 */
import { spawn } from 'node:child_process';
import { daemonOf } from './journal-watch.ts';
import { type Lane, sessionFolder } from './lane.ts';

/** Time to see that the Lease is gone, in microseconds. */
const delayMicroseconds = 300_000;

/** From now until it is disposed of; the daemon then goes on with what it was about to do. */
export function slowWithJournal(lane: Lane): Disposable {
  const daemon = daemonOf(lane);
  if (daemon === undefined) throw new Error('there is no daemon to be slowed');
  const strace = spawn(
    'strace',
    [
      ...['-f', '-qq', '-o', '/dev/null', '-p', String(daemon)],
      ...['-P', `${sessionFolder(lane)}/journal.jsonl`],
      ...['-e', 'trace=%file', '-e', `inject=%file:delay_enter=${delayMicroseconds}`],
    ],
    { stdio: 'ignore' },
  );
  return { [Symbol.dispose]: () => void strace.kill('SIGTERM') };
}
