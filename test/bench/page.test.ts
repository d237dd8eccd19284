import { expect, it } from 'vitest';
import { plotPath, withSection } from './page.ts';

const page = `# Performance

<!-- bench connect -->
old
<!-- end bench connect -->

between

<!-- bench tunnel --><!-- end bench tunnel -->
the end
`;

it('replaces one section and leaves every other byte as it is', () => {
  const written = withSection(page, 'connect', '\nnew $& text\n\n');
  expect(written).toBe(page.replace('old', () => 'new $& text'));
  expect(withSection(written, 'connect', 'old')).toBe(page);
});

it('fills a section that is empty', () => {
  expect(withSection(page, 'tunnel', 'figures')).toContain(
    '<!-- bench tunnel -->\nfigures\n<!-- end bench tunnel -->\nthe end',
  );
});

it('refuses a benchmark for which the page has no place, or one that ends before it begins', () => {
  expect(() => withSection(page, 'dap', 'figures')).toThrow('no place for the benchmark "dap"');
  expect(() => withSection('<!-- end bench dap --><!-- bench dap -->', 'dap', 'figures')).toThrow('no place');
});

it('names plots as the page does', () => {
  expect(plotPath('tunnel-memory')).toBe('images/performance/tunnel-memory.svg');
});
