/** Where a benchmark's results stand: its section of docs/performance.md, and its plots beside it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const docs = join(import.meta.dirname, '..', '..', 'docs');
const page = join(docs, 'performance.md');
const plotFolder = 'images/performance';

/** Writes a benchmark's section of docs/performance.md anew. An Error says that the page has no place for it. */
export function writeSection(name: string, markdown: string): void {
  writeFileSync(page, withSection(readFileSync(page, 'utf8'), name, markdown));
}

/** Writes a plot; the answer is its path as docs/performance.md names it. */
export function writePlot(name: string, svg: string): string {
  mkdirSync(join(docs, plotFolder), { recursive: true });
  const path = plotPath(name);
  writeFileSync(join(docs, path), svg);
  return path;
}

/** The path of a plot as docs/performance.md names it. */
export function plotPath(name: string): string {
  return `${plotFolder}/${name}.svg`;
}

/** The page with what stands between `<!-- bench NAME -->` and `<!-- end bench NAME -->` replaced; all else stays as it is. */
export function withSection(text: string, name: string, markdown: string): string {
  const opening = `<!-- bench ${name} -->`;
  const begin = text.indexOf(opening);
  const end = text.indexOf(`<!-- end bench ${name} -->`);
  if (begin < 0 || end < begin) throw new Error(`docs/performance.md has no place for the benchmark "${name}".`);
  return `${text.slice(0, begin + opening.length)}\n${markdown.trim()}\n${text.slice(end)}`;
}
