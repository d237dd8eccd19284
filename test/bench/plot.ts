/** Plots as SVG text, readable on a light and on a dark page: what is no data takes the colour of the reader's scheme. */
import { type EChartsOption, init } from 'echarts';

/** One line: its points in the order of x. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** For what was not measured: a bar that is promised, a limit. */
  readonly dashed?: boolean;
}

export interface LineChart {
  readonly title: string;
  /** Name and unit of each axis. */
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  /** Axes that are logarithmic; all their values must be above 0. */
  readonly logarithmic?: readonly ('x' | 'y')[];
}

export interface BarChart {
  readonly title: string;
  /** Name and unit of the values. */
  readonly y: string;
  readonly groups: readonly string[];
  /** One bar for each group; `undefined` where there is none. */
  readonly bars: readonly { readonly name: string; readonly values: readonly (number | undefined)[] }[];
}

/** Numbers over numbers. */
export function lineChart({ title, x, y, lines, logarithmic = [] }: LineChart): string {
  const kind = (axis: 'x' | 'y') => (logarithmic.includes(axis) ? 'log' : 'value');
  return render(title, {
    xAxis: { type: kind('x'), ...axisLook(x), nameLocation: 'middle', nameGap: 28 },
    yAxis: { type: kind('y'), ...axisLook(y) },
    series: lines.map(({ name, points, dashed = false }) => ({
      type: 'line',
      name,
      data: points.map((point) => [...point]),
      symbol: dashed ? 'none' : 'circle',
      symbolSize: 7,
      lineStyle: { width: 2, type: dashed ? 'dashed' : 'solid' },
    })),
  });
}

/** Numbers of a few sides beside each other, in groups. */
export function barChart({ title, y, groups, bars }: BarChart): string {
  return render(title, {
    xAxis: { type: 'category', data: [...groups], ...axisLook('') },
    yAxis: { type: 'value', ...axisLook(y) },
    series: bars.map(({ name, values }) => ({
      type: 'bar',
      name,
      data: values.map((value) => value ?? '-'),
      barMaxWidth: 36,
      label: { show: true, position: 'top', color: ink, fontSize: 11 },
    })),
  });
}

const width = 720;
const height = 360;
/** Replaced by the colour of the reader's scheme; the renderer itself knows no such thing. */
const ink = '#010203';
const faint = '#010204';
/** Told apart on both schemes, and by people who do not see all colours (Okabe and Ito). */
const palette = ['#0b7fc7', '#d55e00', '#009e73', '#b66aa0', '#b98500', '#56a5d8'];
const schemes = `<style>
svg { --ink: #1f2328; --faint: #d1d9e0; }
@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --faint: #3d444d; } }
</style>`;

function axisLook(name: string) {
  return {
    name,
    nameTextStyle: { color: ink, fontSize: 12, ...(name !== '' && { align: 'center' as const }) },
    axisLabel: { color: ink },
    axisLine: { lineStyle: { color: ink } },
    axisTick: { lineStyle: { color: ink } },
    splitLine: { lineStyle: { color: faint } },
  };
}

function render(title: string, option: EChartsOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      color: palette,
      title: { text: title, left: 'center', top: 4, textStyle: { color: ink, fontSize: 15 } },
      legend: { top: 34, textStyle: { color: ink } },
      grid: { left: 16, right: 32, top: 90, bottom: 44, containLabel: true },
      ...option,
    });
    return named(title, inReadersScheme(withoutInteraction(chart.renderToSVGString())));
  } finally {
    chart.dispose();
  }
}

/** A picture in a page has no pointer; and its names would count up with every chart that a process makes. */
function withoutInteraction(svg: string): string {
  return svg
    .replaceAll(/ (class="zr\d+-cls-\d+"|pointer-events="\w+"|ecmeta_\w+="[^"]*")/g, '')
    .replaceAll(/<style ><!\[CDATA\[.*?\]\]>\s*<\/style>/gs, '')
    .replaceAll(/zr\d+-c(\d+)/g, 'clip$1');
}

/** For those to whom a picture is read. */
function named(title: string, svg: string): string {
  const text = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return svg.replace(/(<svg[^>]*>)/, `$1\n<title>${text}</title>`);
}

function inReadersScheme(svg: string): string {
  return svg
    .replace(/(<svg[^>]*>)/, `$1\n${schemes}`)
    .replaceAll(ink, 'var(--ink)')
    .replaceAll(faint, 'var(--faint)');
}
