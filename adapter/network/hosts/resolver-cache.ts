/** Programs that remember names, and how each is told to forget them. */
import { execFile } from 'node:child_process';

/** Tried on Linux only; those of macOS and Windows are from the vendors' documentation. */
const commands: Readonly<Partial<Record<NodeJS.Platform, readonly (readonly [string, ...string[]])[]>>> = {
  linux: [
    ['resolvectl', 'flush-caches'],
    ['nscd', '-i', 'hosts'],
  ],
  darwin: [
    ['dscacheutil', '-flushcache'],
    ['killall', '-HUP', 'mDNSResponder'],
  ],
  win32: [['ipconfig', '/flushdns']],
};

const patienceMilliseconds = 2_000;

/** Flushes what caches names here. Which of these exist differs from computer to computer, so none has to work. */
export async function flushResolverCaches(): Promise<void> {
  const all = (commands[process.platform] ?? []).map(
    ([program, ...args]) =>
      new Promise<void>((resolve) => {
        execFile(program, args, { timeout: patienceMilliseconds, killSignal: 'SIGKILL' }, () => resolve());
      }),
  );
  await Promise.all(all);
}
