/** The program's variables for a debugger of VS Code, in the launch configuration of that. */
import { environmentObject, withEnvironmentFiles } from '../../debuggers/environment.ts';
import { type EnvironmentChoice, programVariables } from '../../session/client/program-environment.ts';
import type { Connection } from '../../session/protocol.ts';

type Configuration = Readonly<Record<string, unknown>>;

/** What the user wrote into the configuration before other extensions added to it. */
export interface Written {
  readonly env?: Readonly<Record<string, unknown>> | undefined;
  readonly envFile?: unknown;
}

export interface Merged {
  readonly configuration: Configuration;
  /** Sentences about variables that are left out. */
  readonly notes: readonly string[];
  /** The number of variables that come from the cluster. */
  readonly count: number;
  readonly secrets: readonly string[];
}

/**
 * The configuration with the variables of the connection in `env`. From the weakest: what is there already, which may be
 * all of this computer's; the cluster's; the user's files; what the user wrote. Problems as programVariables throws them,
 * bad-value for a file that cannot be read.
 */
export function withProgramVariables(
  configuration: Configuration,
  written: Written,
  connection: Connection,
  choice: EnvironmentChoice,
): Merged {
  const { variables, notes } = programVariables(connection, choice);
  const ofTheCluster = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
  const args = { ...written, cwd: configuration.cwd };
  const chosen = environmentObject(args, withEnvironmentFiles(args, ofTheCluster));
  const before = typeof configuration.env === 'object' && configuration.env !== null ? configuration.env : {};
  return {
    configuration: { ...configuration, env: { ...before, ...chosen } },
    notes,
    count: variables.length,
    secrets: variables.filter(({ secret }) => secret).map(({ value }) => value),
  };
}
