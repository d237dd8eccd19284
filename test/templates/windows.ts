/** Two formats of Windows: a command line as its programs split it, and Visual Studio's pkgdef. */

/**
 * The words of a command line, as `CommandLineToArgvW` splits it: quotes hold a word together; backslashes count only
 * before a quote.
 */
export function windowsWords(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"]|"(?:\\"|[^"])*")+/g)].map(([word]) =>
    word.replace(/\\"|"/g, (found) => (found === '"' ? '' : '"')),
  );
}

/**
 * The sections of a pkgdef with their values. Each line is a comment, a section's name or a value: a text or a dword.
 * Throws at any other line.
 */
export function readPkgdef(text: string): Map<string, Map<string, string | number>> {
  const sections = new Map<string, Map<string, string | number>>();
  let section: Map<string, string | number> | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith(';')) continue;
    const [, name] = /^\[([^\]]+)\]$/.exec(line) ?? [];
    if (name !== undefined) {
      section = new Map();
      sections.set(name, section);
      continue;
    }
    const [, key, quoted, dword] = /^"([^"]+)"=(?:"((?:\\"|[^"])*)"|dword:([0-9a-f]{8}))$/.exec(line) ?? [];
    if (key === undefined || section === undefined)
      throw new Error(`Line ${index + 1} is no line of a pkgdef: ${line}`);
    section.set(key, dword === undefined ? (quoted ?? '').replaceAll('\\"', '"') : Number.parseInt(dword, 16));
  }
  return sections;
}
