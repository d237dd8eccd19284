import { describe, expect, it } from 'vitest';
import { barChart, type LineChart, lineChart } from './plot.ts';

const latency: LineChart = {
  title: 'New connection',
  x: 'RTT, ms',
  y: 'time, ms',
  lines: [
    {
      name: 'ours',
      points: [
        [0, 2],
        [20, 23],
        [80, 84],
      ],
    },
    {
      name: 'promised',
      dashed: true,
      points: [
        [0, 2],
        [80, 94],
      ],
    },
  ],
};

/** What a reader of the picture can read. */
function texts(svg: string): readonly string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1] ?? '');
}

describe('a line chart', () => {
  it('shows title, axes and the name of each line', () => {
    expect(texts(lineChart(latency))).toEqual(
      expect.arrayContaining(['New connection', 'RTT, ms', 'time, ms', 'ours', 'promised']),
    );
  });

  it('draws what is promised dashed, and nothing else', () => {
    const dashes = (chart: LineChart) => lineChart(chart).match(/stroke-dasharray/g)?.length ?? 0;
    const [ours] = latency.lines;
    expect(dashes(latency)).toBeGreaterThan(0);
    expect(dashes({ ...latency, lines: ours ? [ours] : [] })).toBe(0);
  });

  it('can have logarithmic axes', () => {
    const growth = {
      ...latency,
      lines: [
        {
          name: 'ours',
          points: [
            [1, 1],
            [10, 2],
            [1000, 3],
          ] as const,
        },
      ],
    };
    const labels = texts(lineChart({ ...growth, logarithmic: ['x'] }));
    expect(labels).toEqual(expect.arrayContaining(['1', '10', '100', '1,000']));
    expect(texts(lineChart(growth))).not.toContain('10');
  });

  it('is the same for the same figures', () => {
    expect(lineChart(latency)).toBe(lineChart(latency));
  });
});

describe('a bar chart', () => {
  it('shows groups, sides and values, and no value where there is none', () => {
    const svg = barChart({
      title: 'Throughput',
      y: 'Gbit/s',
      groups: ['RTT 0 ms', 'RTT 20 ms'],
      bars: [
        { name: 'ours', values: [1.23, 1.17] },
        { name: 'kubectl', values: [1.31, undefined] },
      ],
    });
    const labels = texts(svg);
    expect(labels).toEqual(
      expect.arrayContaining(['Throughput', 'Gbit/s', 'RTT 0 ms', 'RTT 20 ms', 'ours', 'kubectl']),
    );
    expect(labels.filter((label) => /^1\.\d\d$/.test(label)).sort()).toEqual(['1.17', '1.23', '1.31']);
  });
});

it('takes the colours of text and axes from the reader’s scheme, and leaves the ground to the page', () => {
  const svg = lineChart(latency);
  expect(svg).toContain('@media (prefers-color-scheme: dark)');
  expect(svg).toContain('fill="var(--ink)"');
  expect(svg).not.toMatch(/#01020[34]/);
  expect(svg).toMatch(/<rect width="720" height="360" x="0" y="0" fill="none"/);
});
