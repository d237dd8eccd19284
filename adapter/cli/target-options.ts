/** The options that `connect` and `run` share: a launch configuration from the command line. */
import type { Command } from 'commander';
import { type LaunchConfiguration, parseLaunchConfiguration, parsePortMapping } from '../launch/configuration.ts';
import { Problem } from '../problem.ts';

interface TargetFlags {
  readonly target?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly container?: string;
  readonly port?: readonly string[];
  readonly agentImage?: string;
}

/** Adds the options to a command. */
export function addTargetOptions(command: Command): Command {
  return command
    .option('-t, --target <target>', 'service/NAME, deployment/NAME, pod/NAME … or NAME')
    .option('-n, --namespace <namespace>', "namespace of the target (default: the context's)")
    .option('--context <context>', 'context of the kubeconfig (default: the current one)')
    .option('--kubeconfig <path>', 'kubeconfig file or list (default: KUBECONFIG, ~/.kube/config)')
    .option('-c, --container <container>', "container to replace (default: the one the Service's ports lead to)")
    .option(
      '-p, --port <mapping>',
      'container port or name : local port; may be repeated',
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option('--agent-image <image>', 'image of the agent');
}

/** The validated configuration of these options. */
export function targetConfiguration(flags: TargetFlags): LaunchConfiguration {
  const { port, ...rest } = flags;
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
      ...(mappings.length > 0 && {
        ports: Object.fromEntries(mappings.map(({ containerPort, localPort }) => [containerPort, localPort])),
      }),
    },
    'the command line',
  );
}
