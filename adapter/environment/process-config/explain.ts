/** What a KubernetesLocalProcessConfig.yaml means, entry by entry, for `config --explain`. */
import type { EnvironmentVariable } from '../environment.ts';
import { managedIdentityEndpoint, managedIdentityHost } from './demands.ts';
import type { Evaluation } from './evaluate.ts';
import type { Feature, ProcessConfig } from './model.ts';
import type { Part } from './tokens.ts';

/** One entry of the file. */
export interface ExplainedEntry {
  readonly line: number;
  readonly column: number;
  /** What it is: `env MYAPP1_SERVICE_HOST`. */
  readonly entry: string;
  /** As it stands in the file; of variables only. */
  readonly written?: string;
  /** Sentences. */
  readonly means: readonly string[];
  /** What the program gets, and from where; if a session or the cluster was asked. Secret values are masked by the caller. */
  readonly result?: { readonly value: string; readonly origin: string };
  readonly problem?: string;
}

/** What is known of a session: the file's own values, and what the program gets in the end. */
export interface Results {
  readonly evaluation: Evaluation;
  readonly final: readonly EnvironmentVariable[];
}

/** All entries in the order of the file. */
export function explain(config: ProcessConfig, results: Results | undefined): readonly ExplainedEntry[] {
  const final = new Map(results?.final.map((variable) => [variable.name, variable]));
  const resultOf = (name: string) => {
    const variable = final.get(name);
    return variable && { result: { value: variable.value, origin: variable.origin } };
  };
  const variables = config.env.map(({ name, written, parts, line, column }, index): ExplainedEntry => {
    const later = config.env.findLast((each) => each.name === name);
    const isLast = later === config.env[index];
    const problem = results?.evaluation.entries[index]?.problem;
    return {
      line,
      column,
      entry: `env ${name}`,
      written,
      means: [
        ...parts.flatMap(meaningOf),
        ...(parts.every(({ kind }) => kind === 'text') ? ['A text as it is.'] : []),
        ...(isLast ? [] : [`It does not count: line ${later?.line} says it again.`]),
      ],
      ...(isLast && problem === undefined && resultOf(name)),
      ...(problem !== undefined && { problem }),
    };
  });
  const volumes = config.volumeMounts.map(
    ({ name, localPath, line, column }): ExplainedEntry => ({
      line,
      column,
      entry: `volumeMounts ${name}`,
      means: [
        localPath === undefined
          ? 'Its files are in a private folder of the session.'
          : `Its files are to be found at ${localPath}.`,
      ],
    }),
  );
  const enabled = config.enableFeatures.map(
    ({ name, line, column }): ExplainedEntry => ({
      line,
      column,
      entry: `enableFeatures ${name}`,
      means: [meaningOfFeature[name]],
      ...(name === 'ManagedIdentity' && resultOf('MSI_ENDPOINT')),
    }),
  );
  return [...variables, ...volumes, ...enabled].toSorted((a, b) => a.line - b.line || a.column - b.column);
}

const meaningOfFeature: Readonly<Record<Feature, string>> = {
  ManagedIdentity: `The name ${managedIdentityHost} leads to ${managedIdentityEndpoint.host}, through the pod; MSI_ENDPOINT and MSI_SECRET are set.`,
  Probes: "A liveness probe over the network stays and reaches your program; the others are the agent's.",
  LifecycleHooks: 'A preStop hook over the network stays and reaches your program; the others are left out.',
};

function meaningOf(part: Part): readonly string[] {
  switch (part.kind) {
    case 'text':
      return [];
    case 'services': {
      const place = part.namespace === undefined ? '' : ` of namespace ${part.namespace}`;
      const ports = part.ports.length === 0 ? '' : `, port ${part.ports.join(', ')}`;
      return [`${part.written} is the address of Service ${part.name}${place}${ports}.`];
    }
    case 'volumeMounts':
      return [
        part.name.startsWith('/')
          ? `${part.written} is where the files of mount path ${part.name} are.`
          : `${part.written} is where the files of ${part.name.includes('*') ? 'the first volume' : 'volume'} ${part.name} are.`,
      ];
    case 'externalendpoints':
      return [`${part.written} is ${part.host}, reached through the cluster, port ${part.ports.join(', ')}.`];
  }
}

/** The entries as lines of text. */
export function describeEntries(entries: readonly ExplainedEntry[]): readonly string[] {
  return entries.flatMap(({ line, entry, written, means, result, problem }) => [
    `line ${line}: ${entry}${written === undefined ? '' : ` = ${JSON.stringify(written)}`}`,
    ...means.map((text) => `  ${text}`),
    ...(result ? [`  The program gets ${JSON.stringify(result.value)} (${result.origin}).`] : []),
    ...(problem === undefined ? [] : [`  error: ${problem}`]),
  ]);
}
