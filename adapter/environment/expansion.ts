/**
 * `$(NAME)` references in values, as Kubernetes expands them (third_party/forked/golang/expansion; KEP "container
 * environment variable expansion"): `$$` is a literal `$`, an unknown name stays as it is written, nothing is nested.
 */
const reference = /\$(?:\$|\(([^)]*)\))/g;

/** The text with its references replaced. `lookup` answers undefined for names that have no value. */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  return text.replace(reference, (written, name: string | undefined) =>
    name === undefined ? '$' : (lookup(name) ?? written),
  );
}
