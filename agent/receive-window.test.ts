import { describe, expect, it } from 'vitest';
import { agentWindowsFor, workstationWindows } from './http2.ts';
import { leastStreamWindow, streamWindow } from './receive-window.ts';

const mebi = 1024 * 1024;
const agentWindows = agentWindowsFor(Number.POSITIVE_INFINITY);

describe('the window of a stream', () => {
  it('is the largest while everybody reads', () => {
    expect(streamWindow({ streams: 2000, bytes: 0, behind: 0 }, agentWindows)).toBe(agentWindows.stream);
    expect(streamWindow({ streams: 1, bytes: mebi, behind: 1 }, workstationWindows)).toBe(workstationWindows.stream);
  });

  it('shrinks as unread data grows', () => {
    const windows = [0, 4, 8, 16].map((unread) =>
      streamWindow({ streams: 10, behind: 4, bytes: unread * mebi }, agentWindows),
    );
    expect(windows).toEqual([4 * mebi, 3 * mebi, 2 * mebi, mebi / 4]);
  });

  it.each([1, 64, 128, 1000, 3000])('of %d that stand still is such that all are within the limit', (streams) => {
    const window = streamWindow({ streams, behind: streams, bytes: agentWindows.unread / 2 }, agentWindows);
    expect(window).toBeGreaterThanOrEqual(leastStreamWindow);
    expect(window * streams).toBeLessThanOrEqual(agentWindows.unread);
  });
});

describe('the windows of an agent', () => {
  it.each([64, 128, 192, 256, 512, 1024])('leave room in a container of %d MiB', (memory) => {
    const { stream, session, unread } = agentWindowsFor(memory * mebi);
    expect(stream).toBeGreaterThanOrEqual(2 * mebi);
    // Two connections of a tunnel: what is under way on each, and what nobody reads.
    if (memory >= 128) expect(80 * mebi + 2 * session + unread).toBeLessThan(memory * mebi);
  });
});
