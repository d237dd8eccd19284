/** The options that `connect` and `run` share: a launch configuration from the command line. */
import { type Command, Option } from 'commander';
import { type LaunchConfiguration, parseLaunchConfiguration, parsePortMapping } from '../launch/configuration.ts';
import schema from '../launch/launch.schema.json' with { type: 'json' };
import { Problem } from '../problem.ts';
import { type SessionRequest, sessionRequest } from '../session/client/session-request.ts';
import { parseDuration } from './duration.ts';

interface TargetFlags {
  readonly target?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly container?: string;
  readonly port?: readonly string[];
  readonly agentImage?: string;
  readonly network?: string;
  readonly alsoNamespace?: readonly string[];
  readonly onPortConflict?: string;
  readonly wait?: number | true;
  readonly share?: true;
  readonly force?: true;
  readonly elevate?: string;
  readonly reaper?: string;
  readonly reaperDelay?: number;
  readonly timings?: true;
  readonly external?: readonly string[];
  readonly onUnresolved?: string;
  readonly processConfig?: string | false;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly imageEnv?: boolean;
  readonly volumes?: boolean;
  readonly volumeLimit?: string;
  readonly writeBack?: readonly string[];
  readonly mount?: readonly string[];
  readonly proxyProtocol?: string;
}

const { network, onPortConflict, elevate, onUnresolved, reaper } = schema.properties;

/** Adds the options that say which target is meant: in which cluster and namespace. */
export function addPlaceOptions(command: Command): Command {
  return command
    .option('-t, --target <target>', 'service/NAME, deployment/NAME, pod/NAME … or NAME')
    .option('-n, --namespace <namespace>', "namespace of the target (default: the context's)")
    .option('--context <context>', 'context of the kubeconfig (default: the current one)')
    .option('--kubeconfig <path>', 'kubeconfig file or list (default: KUBECONFIG, ~/.kube/config)');
}

/** Adds the options that say which of its containers and ports. */
export function addContainerOptions(command: Command): Command {
  return command
    .option('-c, --container <container>', "container to replace (default: the one the Service's ports lead to)")
    .option('-p, --port <mapping>', 'container port or name : local port; may be repeated', repeated);
}

/** Adds the options to a command. */
export function addTargetOptions(command: Command): Command {
  return addContainerOptions(addPlaceOptions(command))
    .addOption(
      choice('--network <way>', 'how names such as http://prices/ are made to work here (default: auto)', network.enum),
    )
    .option('--also-namespace <namespace>', 'reach its Services too, as prices.NAMESPACE; may be repeated', repeated)
    .addOption(choice('--on-port-conflict <what>', 'if a local port is in use (default: ask)', onPortConflict.enum))
    .addOption(choice('--elevate <whether>', 'whether to ask for administrator rights (default: ask)', elevate.enum))
    .addOption(
      choice('--reaper <whether>', 'whether a pod undoes all if this computer vanishes (default: auto)', reaper.enum),
    )
    .addOption(
      new Option('--reaper-delay <seconds>', 'after so many seconds of silence (default: 300)').argParser(parseSeconds),
    )
    .option(
      '--external <host:port>',
      'reach it through the cluster, as only pods can; host:port/udp for UDP; may be repeated',
      repeated,
    )
    .addOption(
      choice('--on-unresolved <what>', 'if a variable or volume cannot be had (default: fail)', onUnresolved.enum),
    )
    .option(
      '--include <names>',
      'give the program only these variables, * stands for any characters; may be repeated',
      repeated,
    )
    .option('--exclude <names>', 'do not give the program these variables; may be repeated', repeated)
    .option(
      '-e, --env <NAME=value>',
      'a value instead of the container’s; NAME alone leaves it out; may be repeated',
      repeated,
    )
    .option('--env-file <file>', 'file with NAME=value lines that win over the container’s; may be repeated', repeated)
    .option('--no-image-env', 'do not ask the container for the variables that its image sets')
    .option('--no-volumes', 'do not copy files that only the pod has')
    .option('--volume-limit <quantity>', 'the most that is copied of one volume (default: 64Mi)')
    .option('--write-back <path>', 'send what changes beneath this mount path to the pod; may be repeated', repeated)
    .option('--mount <mapping>', 'mount path : path of a link to it on this computer; may be repeated', repeated)
    .addOption(
      choice('--proxy-protocol [version]', 'tell the program who calls, by this header (default: v2)', [
        'v1',
        'v2',
      ]).preset('v2'),
    )
    .option('--process-config <file>', 'KubernetesLocalProcessConfig.yaml to read (default: the one of this folder)')
    .option('--no-process-config', 'read none')
    .option('--agent-image <image>', 'image of the agent');
}

/** Adds the option that shows where the time of the session's beginning and end goes. */
export function addTimingsOption(command: Command): Command {
  return command.option('--timings', 'show where the time of connecting and disconnecting went');
}

/** Adds the options that say what is done if somebody else debugs the target; without them it is asked. */
export function addHeldOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--wait [duration]', 'if somebody debugs the target already: wait until it is free, for 10m at most')
        .argParser(parseDuration)
        .conflicts(['share', 'force']),
    )
    .addOption(new Option('--share', 'then: share their session, read-only, without requests').conflicts(['force']))
    .option('--force', 'then: take it over; they are told, and their session is undone');
}

/** The request to a session that these options make. Problems as sessionRequest and targetConfiguration throw them. */
export function targetRequest(flags: TargetFlags, startsProgram: boolean): SessionRequest {
  const made = sessionRequest(targetConfiguration(flags), startsProgram);
  if (typeof flags.wait !== 'number') return made;
  return { ...made, request: { ...made.request, waitLimit: flags.wait } };
}

/** The validated configuration of these options. */
export function targetConfiguration(flags: TargetFlags): LaunchConfiguration {
  const { port, alsoNamespace, external, wait, share, force, ...most } = flags;
  const { include, exclude, env, envFile, imageEnv, volumes, volumeLimit, writeBack, mount, ...others } = most;
  // Only "false" is for the configuration: without the option commander says true.
  const { processConfig, ...rest } = others;
  if (rest.target === undefined) {
    throw new Problem({
      code: 'missing-key',
      what: 'The option --target is missing.',
      why: 'It says what runs here instead of in the cluster.',
      remedy: 'Add for example "--target service/cart".',
    });
  }
  const mappings = (port ?? []).map(parsePortMapping);
  return parseLaunchConfiguration(
    {
      ...rest,
      ...(wait !== undefined && { onHeld: 'wait' }),
      ...(share && { onHeld: 'share' }),
      ...(force && { onHeld: 'take-over' }),
      ...(alsoNamespace !== undefined && { otherNamespaces: [...new Set(alsoNamespace)] }),
      ...(external !== undefined && { externalEndpoints: [...new Set(external)] }),
      ...(processConfig !== undefined && processConfig !== (true as unknown) && { processConfig }),
      environment: {
        ...(include !== undefined && { include }),
        ...(exclude !== undefined && { exclude }),
        ...(env !== undefined && { override: Object.fromEntries(env.map(parseVariable)) }),
        ...(envFile !== undefined && { envFile }),
        ...(imageEnv === false && { fromImage: false }),
      },
      volumes: {
        ...(volumes === false && { copy: 'never' }),
        ...(volumeLimit !== undefined && { limit: volumeLimit }),
        ...(writeBack !== undefined && { writeBack: [...new Set(writeBack)] }),
        ...(mount !== undefined && { localPaths: Object.fromEntries(mount.map(parseMount)) }),
      },
      ...(mappings.length > 0 && {
        ports: Object.fromEntries(mappings.map(({ containerPort, localPort }) => [containerPort, localPort])),
      }),
    },
    'the command line',
  );
}

function parseVariable(text: string): readonly [name: string, value: string | null] {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '') throw badMapping(text, 'a variable', 'LOG_LEVEL=debug, or LOG_LEVEL to leave it out');
  return [name, equals < 0 ? null : text.slice(equals + 1)];
}

/** Whether it is allowed is for the schema to say. */
function parseSeconds(text: string): number {
  if (!/^\d+$/.test(text)) throw badMapping(text, 'a number of seconds', '300');
  return Number(text);
}

function parseMount(text: string): readonly [mountPath: string, localPath: string] {
  const colon = text.indexOf(':');
  if (!text.startsWith('/') || colon < 2 || colon === text.length - 1) {
    throw badMapping(text, 'a mapping of a mount', '/etc/cart:./config');
  }
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function badMapping(text: string, what: string, example: string): Problem {
  return new Problem({
    code: 'bad-arguments',
    what: `"${text}" is not ${what}.`,
    why: '',
    remedy: `Write for example ${example}.`,
  });
}

function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}

/** For an option that may be given several times. */
function repeated(value: string, all: readonly string[] = []): readonly string[] {
  return [...all, value];
}
