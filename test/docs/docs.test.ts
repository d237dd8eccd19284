import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { madeParts, withMadeParts } from './pages.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (page: string) => readFileSync(join(root, page), 'utf8');
const pages = globSync('**/*.md', { cwd: root, exclude: (name) => name === 'node_modules' || name === 'dist' });

describe('what is made from the program', () => {
  it.each(Object.keys(madeParts))('%s is as the program is (else: npm run docs)', (page) => {
    expect(read(page)).toBe(withMadeParts(page, read(page)));
  });

  it('shows when a part has changed', () => {
    const changed = read('docs/rights.md').replace('verbs: [get, patch]', 'verbs: [get]');
    expect(withMadeParts('docs/rights.md', changed)).not.toBe(changed);
  });
});

describe('links', () => {
  it('are found on every page that should have some', () => {
    expect(linksOf('README.md').length).toBeGreaterThan(10);
    expect(pages).toContain('docs/README.md');
  });

  it.each(pages)('of %s lead to files and headings of this repository', (page) => {
    expect(linksOf(page).filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });

  it('lead from docs/README.md to every page of docs/', () => {
    const linked = new Set(linksOf('docs/README.md').map((link) => join('docs', link)));
    const all = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
    expect(all.filter((page) => !linked.has(page))).toEqual([]);
  });
});

/** The targets of a page's links and pictures that lead into this repository. */
function linksOf(page: string): readonly string[] {
  const prose = read(page).replace(/```.*?```/gs, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [file = '', heading] = link.split('#');
  const path = file === '' ? join(root, page) : join(root, dirname(page), file);
  if (relative(root, path).startsWith('..') || !existsSync(path)) return false;
  return heading === undefined || headingsOf(readFileSync(path, 'utf8')).includes(heading);
}

/** As GitHub makes them: lower case, no punctuation, hyphens for spaces. */
function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
