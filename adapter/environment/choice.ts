/** The user's choice of variables: which of the container's the program gets, and what it gets instead. */
import type { EnvironmentVariable } from './environment.ts';
import { matchesWildcard } from './process-config/wildcard.ts';

/** The names that `include` has (all, if it is not given) and `exclude` has not. `*` stands for any characters. */
export function chooseVariables(
  variables: readonly EnvironmentVariable[],
  { include, exclude = [] }: { readonly include?: readonly string[]; readonly exclude?: readonly string[] },
  platform: NodeJS.Platform = process.platform,
): readonly EnvironmentVariable[] {
  const isNamed = (name: string, patterns: readonly string[]) =>
    patterns.some((pattern) => matchesWildcard(pattern, name, platform === 'win32'));
  return variables.filter(({ name }) => (include === undefined || isNamed(name, include)) && !isNamed(name, exclude));
}

/** Values that the user sets by hand; null leaves a variable out. */
export type Override = Readonly<Record<string, string | null>>;

/** The variables with the later lists over the earlier ones, and `override` over all. On Windows, names have no case. */
export function layerVariables(
  lists: readonly (readonly EnvironmentVariable[])[],
  override: Override = {},
  platform: NodeJS.Platform = process.platform,
): readonly EnvironmentVariable[] {
  const keyOf = (name: string) => (platform === 'win32' ? name.toUpperCase() : name);
  const variables = new Map<string, EnvironmentVariable>();
  for (const variable of lists.flat()) variables.set(keyOf(variable.name), variable);
  for (const [name, value] of Object.entries(override)) {
    if (value === null) variables.delete(keyOf(name));
    else variables.set(keyOf(name), { name, value, origin: 'override', secret: false });
  }
  return [...variables.values()];
}
