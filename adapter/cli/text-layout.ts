/** Lays out text for a terminal: wrapped lines, and tables that are no wider than it is. */

const narrowest = 8;

/** Wraps at blanks; every line after the first is indented by `indent`. Words longer than a line stay whole. */
export function wrap(text: string, width: number, indent = ''): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.length > width) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = longer;
  }
  return [...lines, line];
}

/** Rows with aligned columns. Where they are wider than `width`, the widest columns give way, their cells cut by "…". */
export function table(rows: readonly (readonly string[])[], width: number, gap = '  '): readonly string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
  const total = () => widths.reduce((sum, each) => sum + each, 0) + gap.length * (count - 1);
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths));
    const next = widths[widest] ?? 0;
    if (next <= narrowest) break;
    widths[widest] = next - 1;
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cut(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}
