/** The pods behind Services, as their EndpointSlices tell them. */
import type { EndpointSlice } from './objects.ts';

/** A pod, or another address, behind a Service. */
export interface ServiceEndpoint {
  readonly address: string;
  /** The name that it has in front of the Service's: pods of a StatefulSet, and those with `hostname` and `subdomain`. */
  readonly hostname: string | undefined;
  readonly pod: string | undefined;
  readonly ready: boolean;
  /** By number; empty where the slice stands for all ports. */
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
}

/** The label by which a slice belongs to a Service. */
const serviceLabel = 'kubernetes.io/service-name';

/** The URL path of all EndpointSlices of a namespace. */
export function endpointSlicesPath(namespace: string): string {
  return `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`;
}

/**
 * The endpoints of each Service of one namespace, by the Service's name. A pod stands in several slices for a moment when it
 * moves between them, and for good where it has IPv4 and IPv6 addresses: it comes once, with its IPv4 address.
 */
export function endpointsByService(slices: readonly EndpointSlice[]): ReadonlyMap<string, readonly ServiceEndpoint[]> {
  const services = new Map<string, Map<string, ServiceEndpoint>>();
  for (const slice of inOrder(slices)) {
    const name = slice.metadata.labels[serviceLabel];
    // Slices with names of hosts are deprecated, and DNS does not answer with them.
    if (name === undefined || slice.addressType === 'FQDN') continue;
    const found = services.get(name) ?? new Map<string, ServiceEndpoint>();
    services.set(name, found);
    for (const endpoint of endpointsOf(slice)) {
      const key = endpoint.pod ?? endpoint.address;
      const known = found.get(key);
      found.set(key, known === undefined ? endpoint : merged(known, endpoint));
    }
  }
  return new Map([...services].map(([name, endpoints]) => [name, [...endpoints.values()]]));
}

/** The same result whatever order they come in; IPv4 first. */
function inOrder(slices: readonly EndpointSlice[]): readonly EndpointSlice[] {
  return [...slices].sort(
    (a, b) => a.addressType.localeCompare(b.addressType) || a.metadata.name.localeCompare(b.metadata.name),
  );
}

function endpointsOf({ endpoints, ports }: EndpointSlice): readonly ServiceEndpoint[] {
  const numbered = ports.flatMap(({ name, port, protocol }) =>
    port == null ? [] : [{ name: name ?? '', port, protocol: protocol || 'TCP' }],
  );
  return endpoints.flatMap(({ addresses: [address], hostname, conditions, targetRef }) => {
    // Consumers must only use the first address, says the API.
    if (address === undefined) return [];
    const pod = targetRef?.kind === 'Pod' && targetRef.name !== '' ? targetRef.name : undefined;
    return [{ address, hostname: hostname || undefined, pod, ready: conditions.ready ?? true, ports: numbered }];
  });
}

function merged(known: ServiceEndpoint, again: ServiceEndpoint): ServiceEndpoint {
  const more = again.ports.filter(
    ({ port, protocol }) => !known.ports.some((each) => each.port === port && each.protocol === protocol),
  );
  return { ...known, ready: known.ready || again.ready, ports: [...known.ports, ...more] };
}
