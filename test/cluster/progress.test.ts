import { expect, it, vi } from 'vitest';
import { type ProgressStream, renderBar, showProgress } from './progress.ts';

function stream(isTTY: boolean, columns = 60): { written(): string; stream: ProgressStream } {
  let written = '';
  const write = (text: string) => {
    written += text;
  };
  return { written: () => written, stream: { isTTY, columns, write } };
}

it('fills the bar by the fraction, and never beyond its ends', () => {
  expect(renderBar(0)).toBe(`[${'.'.repeat(30)}]`);
  expect(renderBar(0.5)).toBe(`[${'#'.repeat(15)}${'.'.repeat(15)}]`);
  expect(renderBar(7)).toBe(`[${'#'.repeat(30)}]`);
  expect(renderBar(-1)).toBe(`[${'.'.repeat(30)}]`);
});

it('writes a line for a new activity, and again only after ten seconds', () => {
  vi.useFakeTimers();
  try {
    const { written, stream: target } = stream(false);
    using progress = showProgress(target);
    progress.show('building: 1 of 9');
    progress.show('building: 2 of 9');
    vi.advanceTimersByTime(10_000);
    progress.show('building: 3 of 9');
    progress.show('starting: etcd');
    expect(written()).toBe('building: 1 of 9\nbuilding: 3 of 9\nstarting: etcd\n');
  } finally {
    vi.useRealTimers();
  }
});

it('keeps to one line of a terminal, and clears it at the end', () => {
  const { written, stream: target } = stream(true);
  {
    using progress = showProgress(target);
    progress.show(`building: ${'x'.repeat(100)}`, 0.1);
  }
  const [, line = ''] = written().split('\u001b[K');
  expect(line.replace('\r', '').length).toBeLessThan(60);
  expect(written()).not.toContain('\n');
  expect(written().endsWith('\r\u001b[K')).toBe(true);
});

it('shows something on a terminal that does not know its width', () => {
  const { written, stream: target } = stream(true, 0);
  using progress = showProgress(target);
  progress.show('starting: etcd');
  expect(written()).toContain('starting: etcd');
});
