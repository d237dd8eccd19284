/** The environment variables that the user's program gets in addition to, or instead of, those of this computer. */
import { chooseVariables, layerVariables } from '../../environment/choice.ts';
import { readEnvFiles } from '../../environment/env-file.ts';
import type { EnvironmentVariable } from '../../environment/environment.ts';
import { localEnvironment } from '../../environment/local.ts';
import { evaluateProcessConfig } from '../../environment/process-config/evaluate.ts';
import type { ProcessConfig } from '../../environment/process-config/process-config.ts';
import { Problem } from '../../problem.ts';
import type { Connection } from '../protocol.ts';

/** What the user wants of the variables: a part of the launch configuration, and the file of its ancestor. */
export interface EnvironmentChoice {
  readonly environment: {
    readonly include?: readonly string[];
    readonly exclude?: readonly string[];
    readonly override?: Readonly<Record<string, string | null>>;
    readonly envFile?: string | readonly string[];
  };
  /** What to do about a variable of the process configuration that cannot be had. */
  readonly onUnresolved: 'fail' | 'leave-out';
  readonly processConfig: ProcessConfig | undefined;
  /** What relative paths of files are relative to. */
  readonly folder: string;
}

/** What of a connection the variables are made from. */
export type EnvironmentSource = Pick<
  Connection,
  'environment' | 'network' | 'services' | 'mounts' | 'mountsFolder' | 'externalEndpoints' | 'ports'
> & {
  /** Undefined: the variables are read from the cluster, without a session. */
  readonly session: string | undefined;
};

export interface ProgramEnvironment {
  /** Each with its origin, in the order of their precedence: the pod's, the chosen ones, our own. */
  readonly variables: readonly EnvironmentVariable[];
  /** Names of the pod's variables that stay as they are on this computer. */
  readonly kept: readonly string[];
  /** Sentences about variables that are left out. */
  readonly notes: readonly string[];
}

/**
 * Everything that is to be set for the program of this connection. From the weakest: the pod's variables as chosen by
 * include and exclude, without those that are this computer's own; the process configuration; the files; override; ours.
 * @throws Problem environment-unresolved for what the process configuration cannot have, unless it may be left out;
 * bad-value for a file that cannot be read.
 */
export function programVariables(connection: EnvironmentSource, choice: EnvironmentChoice): ProgramEnvironment {
  const { environment, onUnresolved, processConfig, folder } = choice;
  const { envFile = [], override } = environment;
  const ofThePod = localEnvironment(chooseVariables(connection.environment, environment), process.env);
  const configured = processConfig && evaluateProcessConfig(processConfig, contextOf(connection));
  const problems = configured?.problems ?? [];
  if (problems.length > 0 && onUnresolved === 'fail') throw unresolved(problems);
  const files = readEnvFiles([envFile].flat(), folder);
  const chosen = layerVariables([ofThePod.variables, configured?.variables ?? [], files], override);
  const set = new Set(chosen.map(({ name }) => name));
  return {
    variables: layerVariables([chosen, ownVariables(connection)]),
    kept: ofThePod.kept.filter((name) => !set.has(name)),
    notes: problems.map((problem) => `${problem} This entry is left out.`),
  };
}

/** The variables of `programVariables` as an object; its notes go to `note`. Problems as it throws them. */
export function programEnvironment(
  connection: EnvironmentSource,
  choice: EnvironmentChoice,
  note: (text: string) => void,
): Readonly<Record<string, string>> {
  const { variables, notes } = programVariables(connection, choice);
  for (const text of notes) note(text);
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

/** What the process configuration is evaluated against. */
export function contextOf({ network, services, mounts, externalEndpoints }: EnvironmentSource) {
  return { mode: network.mode, services, mounts, externalEndpoints };
}

function ownVariables({ session, ports, mountsFolder }: EnvironmentSource): readonly EnvironmentVariable[] {
  const values: readonly (readonly [string, string])[] = [
    ...(session === undefined ? [] : [['KUBERNETES_LOCAL_SESSION', session] as const]),
    ...ports.map(({ containerPort, localPort }) => [`KUBERNETES_LOCAL_PORT_${containerPort}`, `${localPort}`] as const),
    ...(mountsFolder === undefined ? [] : [['KUBERNETES_LOCAL_MOUNTS', mountsFolder] as const]),
  ];
  return values.map(([name, value]) => ({ name, value, origin: 'kubernetes-local', secret: false }));
}

function unresolved([first = '', ...others]: readonly string[]): Problem {
  return new Problem({
    code: 'environment-unresolved',
    what: first,
    why: others.join(' '),
    remedy: 'Correct the file, or set "onUnresolved" to "leave-out". "kubernetes-local config" explains the file.',
  });
}
