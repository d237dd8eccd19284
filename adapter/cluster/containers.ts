/** Which container of a pod is meant, and which of its ports the Services reach. */
import { Problem } from '../problem.ts';
import { nearest } from './nearest.ts';
import type { Container, PodTemplate, Service } from './objects.ts';

/** A Service and those of its ports that reach the container. */
export interface ServicePorts {
  readonly name: string;
  /** undefined: headless */
  readonly clusterIP: string | undefined;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly containerPort: number }[];
}

/** Problem container-ambiguous, for whoever can ask which one. */
export class ContainerAmbiguous extends Problem {
  /** Their names. */
  readonly containers: readonly string[];

  constructor(containers: readonly string[]) {
    super({
      code: 'container-ambiguous',
      what: 'It is not clear which container is meant.',
      why: `The containers are: ${containers.join(', ')}.`,
      remedy: 'Name one with "container".',
    });
    this.containers = containers;
  }
}

const defaultContainerAnnotation = 'kubectl.kubernetes.io/default-container';

/** TCP ports that the container declares. */
export function declaredPorts(container: Container): readonly number[] {
  return (container.ports ?? []).filter(isTcp).map(({ containerPort }) => containerPort);
}

/** All containers that serve: the ordinary ones and init containers that stay (`restartPolicy: Always`). */
function servingContainers(template: PodTemplate): readonly Container[] {
  return [
    ...template.spec.containers,
    ...(template.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ];
}

/**
 * Chooses the container: the named one; the only one; the one of kubectl's annotation; the one that the Services reach.
 * Problems container-unknown, container-ambiguous.
 */
export function chooseContainer(
  template: PodTemplate,
  wanted: string | undefined,
  services: readonly Service[],
): Container {
  const { containers } = template.spec;
  const names = containers.map(({ name }) => name);
  if (wanted !== undefined) {
    const named = containers.find(({ name }) => name === wanted);
    if (named) return named;
    const init = template.spec.initContainers?.some(({ name }) => name === wanted);
    throw new Problem({
      code: 'container-unknown',
      what: init ? `"${wanted}" is an init container.` : `There is no container "${wanted}".`,
      why: `The containers are: ${names.join(', ')}.`,
      remedy: `Did you mean "${nearest(wanted, names)[0] ?? names[0]}"?`,
    });
  }
  const [only] = containers;
  if (only && containers.length === 1) return only;
  const annotated = template.metadata?.annotations?.[defaultContainerAnnotation];
  const byAnnotation = containers.find(({ name }) => name === annotated);
  if (byAnnotation) return byAnnotation;
  const reached = containers.filter((container) =>
    services.some((service) => service.spec.ports.some((port) => reaches(port, container))),
  );
  const [first] = reached;
  if (first && reached.length === 1) return first;
  throw new ContainerAmbiguous(names);
}

/** The TCP ports by which Services reach this container; named targetPorts resolved. Services that do not are left out. */
export function servicePorts(
  template: PodTemplate,
  container: Container,
  services: readonly Service[],
): readonly ServicePorts[] {
  const others = servingContainers(template).filter(({ name }) => name !== container.name);
  const reachedPort = (port: Service['spec']['ports'][number]): number | undefined => {
    if (port.protocol !== 'TCP') return undefined;
    const target = port.targetPort ?? port.port;
    if (typeof target === 'string') return namedPort(container, target);
    // An undeclared port may still be listened on; it is another container's only if that one declares it.
    const isOthers =
      !declaredPorts(container).includes(target) && others.some((other) => declaredPorts(other).includes(target));
    return isOthers ? undefined : target;
  };
  return services.flatMap((service) => {
    const ports = service.spec.ports.flatMap((port) => {
      const containerPort = reachedPort(port);
      return containerPort === undefined ? [] : [{ name: port.name, port: port.port, containerPort }];
    });
    if (ports.length === 0) return [];
    const { clusterIP } = service.spec;
    return [
      { name: service.metadata.name, clusterIP: clusterIP && clusterIP !== 'None' ? clusterIP : undefined, ports },
    ];
  });
}

function reaches(port: Service['spec']['ports'][number], container: Container): boolean {
  const target = port.targetPort ?? port.port;
  if (port.protocol !== 'TCP') return false;
  return typeof target === 'string'
    ? namedPort(container, target) !== undefined
    : declaredPorts(container).includes(target);
}

function namedPort(container: Container, name: string): number | undefined {
  return container.ports?.find((port) => port.name === name && isTcp(port))?.containerPort;
}

function isTcp({ protocol }: { readonly protocol?: string | undefined }): boolean {
  return protocol === undefined || protocol === 'TCP';
}
