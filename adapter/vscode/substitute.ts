/** The few variables that make sense in a setting, which VS Code does not fill in. */
import { homedir } from 'node:os';

/** The text with `${userHome}`, `${env:NAME}` and a leading `~/` filled in. */
export function substituted(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  home = homedir(),
): string {
  return text
    .replace(/^~(?=[\\/])/, () => home)
    .replaceAll(`\${userHome}`, () => home)
    .replace(/\$\{env:([^}]+)\}/g, (_, name: string) => environment[name] ?? '');
}
