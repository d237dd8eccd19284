/** The options that `connect` and `run` share: a launch configuration from the command line. */
import { type Command, Option } from 'commander';
import { type LaunchConfiguration, parseLaunchConfiguration, parsePortMapping } from '../launch/configuration.ts';
import schema from '../launch/launch.schema.json' with { type: 'json' };
import { Problem } from '../problem.ts';

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
  readonly elevate?: string;
}

const { network, onPortConflict, elevate } = schema.properties;

/** Adds the options to a command. */
export function addTargetOptions(command: Command): Command {
  return command
    .option('-t, --target <target>', 'service/NAME, deployment/NAME, pod/NAME … or NAME')
    .option('-n, --namespace <namespace>', "namespace of the target (default: the context's)")
    .option('--context <context>', 'context of the kubeconfig (default: the current one)')
    .option('--kubeconfig <path>', 'kubeconfig file or list (default: KUBECONFIG, ~/.kube/config)')
    .option('-c, --container <container>', "container to replace (default: the one the Service's ports lead to)")
    .option('-p, --port <mapping>', 'container port or name : local port; may be repeated', repeated)
    .addOption(
      choice('--network <way>', 'how names such as http://prices/ are made to work here (default: auto)', network.enum),
    )
    .option('--also-namespace <namespace>', 'reach its Services too, as prices.NAMESPACE; may be repeated', repeated)
    .addOption(choice('--on-port-conflict <what>', 'if a local port is in use (default: ask)', onPortConflict.enum))
    .addOption(choice('--elevate <whether>', 'whether to ask for administrator rights (default: ask)', elevate.enum))
    .option('--agent-image <image>', 'image of the agent');
}

/** The validated configuration of these options. */
export function targetConfiguration(flags: TargetFlags): LaunchConfiguration {
  const { port, alsoNamespace, ...rest } = flags;
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
      ...(alsoNamespace !== undefined && { otherNamespaces: [...new Set(alsoNamespace)] }),
      ...(mappings.length > 0 && {
        ports: Object.fromEntries(mappings.map(({ containerPort, localPort }) => [containerPort, localPort])),
      }),
    },
    'the command line',
  );
}

function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}

/** For an option that may be given several times. */
export function repeated(value: string, all: readonly string[] = []): readonly string[] {
  return [...all, value];
}
