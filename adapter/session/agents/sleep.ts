/** Notices what breaks connections without a word: the computer slept, or its network changed. */
import { networkInterfaces } from 'node:os';
import { elapsed } from '../../elapsed.ts';

const tickMilliseconds = 1_000;
/** A busy computer is late by less. */
const leapMilliseconds = 10_000;

export interface SleepOptions {
  /** The process stood still for so many milliseconds: the computer slept, or the process was stopped. */
  onAwake(milliseconds: number): void;
  /** The addresses of this computer are others than before. */
  onNetworkChange(): void;
  /** Milliseconds that really passed; for tests. */
  readonly clock?: () => number;
  /** What would change with the network; for tests. */
  readonly addresses?: () => string;
  /** Milliseconds between two looks; for tests. */
  readonly tick?: number;
}

/** Looks every second until the signal is aborted. Setting the clock is neither sleep nor change. */
export function watchSleep(options: SleepOptions, signal: AbortSignal): void {
  if (signal.aborted) return;
  const clock = options.clock ?? elapsed;
  const addresses = options.addresses ?? ownAddresses;
  let last = clock();
  let known = addresses();
  const timer = setInterval(() => {
    const now = clock();
    const passed = now - last;
    last = now;
    const present = addresses();
    const changed = present !== known;
    known = present;
    if (passed > leapMilliseconds) options.onAwake(passed);
    else if (changed) options.onNetworkChange();
  }, options.tick ?? tickMilliseconds);
  timer.unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/** All addresses by which the network could be reached. Link-local ones come and go with every container. */
function ownAddresses(): string {
  return Object.values(networkInterfaces())
    .flatMap((interfaces) => interfaces ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:') && !address.startsWith('169.254.'))
    .map(({ address }) => address)
    .sort()
    .join();
}
