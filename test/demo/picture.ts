/** Draws what a terminal showed as an SVG, for the README. */

import { stripVTControlCharacters } from 'node:util';

/** SGR: the escape character, then [, numbers, m. */
const styleSequence = new RegExp(`${String.fromCharCode(27)}\\[([\\d;]*)m`);
const lineHeight = 18;
const characterWidth = 7.8;
const margin = 16;
const colours: Readonly<Record<string, string>> = {
  '1': 'font-weight="bold" fill="#ffffff"',
  '1;36': 'font-weight="bold" fill="#56d4dd"',
  '1;31': 'font-weight="bold" fill="#ff7b72"',
  '2': 'fill="#8b949e"',
  '32': 'fill="#56d364"',
};

/** An SVG of text with the few ANSI styles that the narrator uses. */
export function drawTerminal(text: string): string {
  const lines = text.replace(/\n+$/, '').split('\n');
  const columns = Math.max(...lines.map((line) => [...stripVTControlCharacters(line)].length));
  const width = Math.ceil(columns * characterWidth + 2 * margin);
  const height = lines.length * lineHeight + 2 * margin;
  let style = '';
  const rows = lines.map((line, index) => {
    const parts = line.split(styleSequence);
    const spans = parts.map((part, position) => {
      if (position % 2 === 1) {
        style = colours[part] ?? '';
        return '';
      }
      return part === '' ? '' : `<tspan ${style}>${escaped(part)}</tspan>`;
    });
    return `<text x="${margin}" y="${margin + (index + 0.75) * lineHeight}">${spans.join('')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>What npm run demo shows in a terminal</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" fill="#e6edf3" xml:space="preserve">
${rows.join('\n')}
</g>
</svg>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
