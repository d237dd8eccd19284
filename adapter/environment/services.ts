/**
 * The variables that tell a container where the Services are (kubelet: pkg/kubelet/envvars and getServiceEnvVarMap).
 */
import { isIPv6 } from 'node:net';

/** A Service as far as its variables need it. */
export interface ServiceAddress {
  readonly name: string;
  readonly namespace: string;
  /** Undefined, empty or `None`: the Service is headless or external and gets no variables. */
  readonly clusterIP: string | undefined;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
}

/**
 * The Services whose variables a container sees: all of its namespace if service links are on, and `kubernetes` of
 * the namespace `default` always. A Service `kubernetes` of the own namespace takes precedence over that one.
 */
export function linkedServices(
  services: readonly ServiceAddress[],
  namespace: string,
  links: boolean,
): readonly ServiceAddress[] {
  const own = links ? services.filter((service) => service.namespace === namespace && hasAddress(service)) : [];
  const master = services.find(
    (service) => service.namespace === 'default' && service.name === 'kubernetes' && hasAddress(service),
  );
  const covered = master === undefined || own.some((service) => service.name === master.name);
  return covered ? own : [...own, master];
}

/** Name and value of each variable of one Service, for instance `CART_SERVICE_HOST` and `CART_PORT_80_TCP_ADDR`. */
export function serviceVariables(service: ServiceAddress): readonly (readonly [name: string, value: string])[] {
  const { clusterIP, ports } = service;
  const [first] = ports;
  if (clusterIP === undefined || first === undefined || !hasAddress(service)) return [];
  const prefix = variableName(service.name);
  const host = isIPv6(clusterIP) ? `[${clusterIP}]` : clusterIP;
  const url = (port: { port: number; protocol: string }) => `${protocolOf(port).toLowerCase()}://${host}:${port.port}`;
  return [
    [`${prefix}_SERVICE_HOST`, clusterIP],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...ports
      .filter((port) => port.name !== '')
      .map((port) => [`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port)] as const),
    [`${prefix}_PORT`, url(first)],
    ...ports.flatMap((port) => {
      const portPrefix = `${prefix}_PORT_${port.port}_${protocolOf(port).toUpperCase()}`;
      return [
        [portPrefix, url(port)],
        [`${portPrefix}_PROTO`, protocolOf(port).toLowerCase()],
        [`${portPrefix}_PORT`, String(port.port)],
        [`${portPrefix}_ADDR`, clusterIP],
      ] as const;
    }),
  ];
}

function hasAddress({ clusterIP }: ServiceAddress): boolean {
  return clusterIP !== undefined && clusterIP !== '' && clusterIP !== 'None';
}

function protocolOf(port: { protocol: string }): string {
  return port.protocol === '' ? 'TCP' : port.protocol;
}

function variableName(name: string): string {
  return name.replaceAll('-', '_').toUpperCase();
}
