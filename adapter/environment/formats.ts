/** Writes variables down for other tools, each value so that the tool reads it back unchanged, or not at all. */
import { parseEnv } from 'node:util';
import { Problem } from '../problem.ts';

export const environmentFormats = ['dotenv', 'json', 'shell', 'powershell', 'vscode'] as const;
export type EnvironmentFormat = (typeof environmentFormats)[number];

type Variables = readonly { readonly name: string; readonly value: string }[];

/** One variable in a format, or why the format cannot hold it. */
type Line = { readonly text: string } | { readonly why: string };

const names: Readonly<Record<EnvironmentFormat, string>> = {
  dotenv: 'a dotenv file',
  json: 'JSON',
  shell: 'a shell script',
  powershell: 'a PowerShell script',
  vscode: '"env" in launch.json',
};

/**
 * The variables as text that ends with a line break.
 * @throws Problem bad-value, naming every variable that the format cannot hold, and why, but no value.
 */
export function formatEnvironment(variables: Variables, format: EnvironmentFormat): string {
  switch (format) {
    case 'json':
      return asJson(variables);
    case 'vscode':
      inLines(variables, format, vscodeProblem);
      return asJson(variables);
    case 'dotenv':
      return inLines(variables, format, dotenvLine);
    case 'shell':
      return inLines(variables, format, shellLine);
    case 'powershell':
      return inLines(variables, format, powershellLine);
  }
}

function asJson(variables: Variables): string {
  return `${JSON.stringify(Object.fromEntries(variables.map(({ name, value }) => [name, value])), undefined, 2)}\n`;
}

function inLines(
  variables: Variables,
  format: EnvironmentFormat,
  write: (name: string, value: string) => Line,
): string {
  const lines = variables.map(({ name, value }) => ({ name, line: write(name, value) }));
  const failed = lines.flatMap(({ name, line }) => ('why' in line ? [`${name}: ${line.why}`] : []));
  if (failed.length > 0) {
    throw new Problem({
      code: 'bad-value',
      what: `${names[format]} cannot hold ${failed.length === 1 ? 'a variable' : `${failed.length} variables`}.`.replace(
        /^a/,
        'A',
      ),
      why: failed.join(' '),
      remedy: 'Leave them out with --exclude, or choose --format json, which can hold all.',
    });
  }
  return lines.map(({ line }) => ('text' in line ? `${line.text}\n` : '')).join('');
}

/** Words that no reader takes for anything but themselves need no quotes. */
const plainWord = /^[A-Za-z0-9_./:@%+,-]+$/;

/**
 * The dialect of Node, npm's dotenv and others: nothing is escaped between quotes, so the value chooses them. Where several
 * will do, single ones come first: in them no reader but python-dotenv replaces `$…`.
 */
function dotenvLine(name: string, value: string): Line {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name))
    return { why: 'its name is not one of letters, digits, "_", "." and "-".' };
  if (value.includes('\r')) return { why: 'it has a carriage return.' };
  const forms = plainWord.test(value) ? [value] : [];
  // Some readers take \' and \\ in single quotes for an escape.
  if (!/'|\\\\|\\$/.test(value)) forms.push(`'${value}'`);
  if (!/["\\]/.test(value)) forms.push(`"${value}"`);
  if (/^[^\s#$'"`][^\s#$]*$/.test(value)) forms.push(value);
  forms.push(`'${value}'`, `\`${value}\``);
  const form = forms.find((each) => {
    // A quote that is not closed would swallow the next line.
    const next = `${name}_`;
    const read = parseEnv(`${name}=${each}\n${next}=1`);
    return read[name] === value && read[next] === '1' && Object.keys(read).length === 2;
  });
  return form === undefined ? { why: 'it has all of the quotes \' " and `.' } : { text: `${name}=${form}` };
}

/** Variables that bash has and lets nobody set. */
const ofTheShell: ReadonlySet<string> = new Set(['BASHOPTS', 'BASH_VERSINFO', 'EUID', 'PPID', 'SHELLOPTS', 'UID']);

function shellLine(name: string, value: string): Line {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return { why: 'its name is not one of letters, digits and "_".' };
  if (ofTheShell.has(name)) return { why: 'shells do not let it be set.' };
  return { text: `export ${name}='${value.replaceAll("'", `'\\''`)}'` };
}

/** PowerShell takes typographic quotes for straight ones. */
function powershellLine(name: string, value: string): Line {
  if (/[=\0]/.test(name)) return { why: 'its name has a character that no name may have.' };
  const plain = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
  const variable = plain ? `$env:${name}` : `\${env:${name.replaceAll(/[`{}]/g, '`$&')}}`;
  return { text: `${variable} = '${value.replaceAll(/['‘’‚‛]/g, '$&$&')}'` };
}

/** VS Code replaces such text wherever it stands in launch.json, and knows no way to write it. */
function vscodeProblem(_name: string, value: string): Line {
  return /\$\{[^}]*\}/.test(value) ? { why: `it has text in "$\{" and "}", which VS Code may replace.` } : { text: '' };
}
