/** How far the start of a cluster is, told to whoever waits for it. */

/** Called with what is being done, in the user's words, and how much of it is done (0 to 1) where that is known. */
export type OnProgress = (text: string, fraction?: number) => void;

const barWidth = 30;
const plainInterval = 10_000;

/** What is needed of a stream to show progress on it. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Shows progress on a stream: one line with a bar that changes in place on a terminal; elsewhere a line for each new
 * activity, and one every ten seconds while an activity goes on. What follows the first colon is not a new activity.
 */
export function showProgress(stream: ProgressStream): Disposable & { readonly show: OnProgress } {
  let activity = '';
  let shownAt = 0;
  let open = false;
  return {
    show(text, fraction) {
      if (stream.isTTY) {
        const bar = fraction === undefined ? '' : `${renderBar(fraction)} `;
        // A terminal that does not know its width says 0.
        const width = stream.columns || 80;
        stream.write(`\r\u001b[K${`${bar}${text}`.slice(0, width - 1)}`);
        open = true;
        return;
      }
      const begun = text.split(':', 1)[0] ?? text;
      if (begun === activity && Date.now() - shownAt < plainInterval) return;
      activity = begun;
      shownAt = Date.now();
      stream.write(`${text}\n`);
    },
    [Symbol.dispose]() {
      if (open) stream.write('\r\u001b[K');
    },
  };
}

/** A bar of fixed width, filled by a fraction from 0 to 1. */
export function renderBar(fraction: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
  return `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`;
}
