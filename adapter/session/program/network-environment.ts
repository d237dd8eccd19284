/** The program's environment variables as they have to be for the way in which names work. */
import type { VisibleService } from '../../cluster/services.ts';
import type { EnvironmentVariable } from '../../environment/environment.ts';
import { destinationVariables, mentionedNames } from '../../network/names/env-variables.ts';
import type { ReachableDestination } from '../../network/names/reachable-destination.ts';
import type { WorkstationNetwork } from '../../network/workstation-network.ts';

/** The address that kubelet's variables for a Service name, instead of the cluster's; undefined: the cluster's own. */
export function addressFor(network: WorkstationNetwork): (service: VisibleService) => string | undefined {
  if (network.mode === 'namespace') return () => undefined;
  const addresses = new Map(network.reachable.map(({ destination, address }) => [destination.key, address]));
  return ({ namespace, name }) => {
    // The API server's certificate holds this name but no address of this computer; clients check it.
    if (network.mode === 'hosts' && isApiServer(namespace, name)) return 'kubernetes.default';
    return addresses.get(`${namespace}/${name}`);
  };
}

/** In mode `env` each Service is at a port of its own, which its variables have to say; elsewhere nothing is changed. */
export function withLocalPorts(
  variables: readonly EnvironmentVariable[],
  network: WorkstationNetwork,
): readonly EnvironmentVariable[] {
  if (network.mode !== 'env') return variables;
  const api = network.reachable.find(({ destination }) => destination.key === 'default/kubernetes');
  const ours = [...destinationVariables(network.reachable), ...(api ? destinationVariables([asKubernetes(api)]) : [])];
  const added = new Map(
    ours.map(({ name, value, label }) => [name, { name, value, origin: `address of ${label} here` }]),
  );
  return [
    ...variables.filter(({ name }) => !added.has(name)),
    ...[...added.values()].map((variable) => ({ ...variable, secret: false })),
  ];
}

/** Sentences about variables that call Services by names which do not work in mode `env`. */
export function unusableNames(
  variables: readonly EnvironmentVariable[],
  network: WorkstationNetwork,
): readonly string[] {
  if (network.mode !== 'env') return [];
  const destinations = network.reachable.map(({ destination }) => destination);
  return [...mentionedNames(variables, destinations)].map(
    ([name, hosts]) => `Variable ${name} names ${hosts.join(', ')}, which leads nowhere in mode env.`,
  );
}

function isApiServer(namespace: string, name: string): boolean {
  return namespace === 'default' && name === 'kubernetes';
}

/** Every pod has its variables without the namespace in their names. */
function asKubernetes(reachable: ReachableDestination): ReachableDestination {
  return { ...reachable, destination: { ...reachable.destination, shortNames: ['kubernetes'] } };
}
