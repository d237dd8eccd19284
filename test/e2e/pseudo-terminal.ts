/** A command at a terminal of its own, and somebody who reads it and presses keys. */
import { spawn } from 'node:child_process';

export interface PseudoTerminal {
  /** Resolves when this was shown since the last `press`; rejects when the command ends without it. */
  saw(wanted: string): Promise<void>;
  press(keys: string): void;
  /** The exit code and all that was shown, without control sequences. */
  readonly ended: Promise<{ readonly code: number | null; readonly shown: string }>;
}

export const keys = { enter: '\r', down: '\x1b[B', backspace: '\x7f', interrupt: '\x03' } as const;

/** Starts it. */
export function atTerminal(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): PseudoTerminal {
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-q', '-e', '-c', quoted, '/dev/null'], {
    ...options,
    env: { ...options.env, NO_COLOR: '1', TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let read = 0;
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk;
    for (const look of waiting) look();
  });
  const ended = new Promise<{ code: number | null; shown: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, shown: plain(shown) }));
  });
  return {
    ended,
    saw: async (wanted) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = () => plain(shown.slice(read)).includes(wanted) && resolve();
      waiting.add(look);
      void ended.then(() => reject(new Error(`It ended without showing "${wanted}":\n${plain(shown)}`)), reject);
      look();
      await promise.finally(() => waiting.delete(look));
    },
    press: (pressed) => {
      read = shown.length;
      child.stdin.write(pressed);
    },
  };
}

function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences of a terminal
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');
}
