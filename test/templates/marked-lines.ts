/** The lines of a template that a user changes, and the ones that may be switched on. */

/** In an attribute of XML it is written with an entity. */
const changeHere = '(?:<|&lt;)- change';

/** The lines that say so in a comment; not those whose comment only speaks of them. */
export function markedLines(text: string, mark: string): string[] {
  const marked = new RegExp(`(?:${mark}) ${changeHere}`);
  return text.split('\n').filter((line) => marked.test(line));
}

/**
 * A template as its user changes it: each text is replaced in the marked lines and nowhere else.
 * An Error names a text that stands in none of them.
 */
export function changed(text: string, mark: string, changes: Readonly<Record<string, string>>): string {
  const marked = new Set(markedLines(text, mark));
  for (const from of Object.keys(changes)) {
    if (![...marked].some((line) => line.includes(from))) throw new Error(`No marked line has ${from}.`);
  }
  return text
    .split('\n')
    .map((line) => (marked.has(line) ? replaced(line, changes) : line))
    .join('\n');
}

/** The same for a format without comments, whose README names the texts to change. */
export function replaced(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((all, [from, to]) => all.replaceAll(from, to), text);
}

/** The lines that are keys in comments (`// "namespace": …,`, `-- namespace = …,`, `;; :namespace …`) made keys. */
export function switchedOn(text: string, mark: string): string {
  const commented = new RegExp(`^(\\s*)(?:${mark})+ (?="[A-Za-z]+": |[A-Za-z]+ = |:[A-Za-z]+ )`, 'gm');
  return text.replace(commented, '$1');
}
