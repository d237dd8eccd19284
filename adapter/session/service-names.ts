/** Gives every Service that the workload sees an address and listeners on this computer. */
import type { VisibleService } from '../cluster/services.ts';
import type { Log } from '../diagnostics/log.ts';
import { allocateAddresses } from '../network/names/addresses.ts';
import { namedServices } from '../network/names/named-services.ts';
import { openServiceListeners, type ServiceListeners } from '../network/names/service-listeners.ts';
import { listen } from '../tunnel/listener.ts';
import type { Tunnels } from '../tunnel/tunnels.ts';
import type { Notice } from './protocol.ts';

export interface ServiceNamesOptions {
  readonly services: readonly VisibleService[];
  /** The namespace whose Services are known by their bare name. */
  readonly namespace: string;
  /** Ports on which the user's program will listen. */
  readonly localPorts: ReadonlySet<number>;
  readonly tunnels: Tunnels;
  notice(notice: Notice): void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Opens the listeners and tells what cannot be reached and what may collide. Problem privileges-needed. */
export async function openServiceNames(options: ServiceNamesOptions): Promise<ServiceListeners> {
  const { tunnels, notice, log, signal, localPorts } = options;
  const reachable = options.services.filter((service) => service.type !== 'ExternalName');
  const { services: named, notes } = namedServices(reachable);
  const listeners = await openServiceListeners({
    services: allocateAddresses(named, new Set(), options.namespace),
    dial: (service, port) => tunnels.dial(hostInCluster(reachable, service), port),
    listen,
    onError: (error) => log.write('debug', 'a connection to a Service ended early', { error }),
    signal,
  });
  for (const text of notes) notice({ level: 'info', text });
  for (const { service, problem } of listeners.leftOut) {
    const text = `Service ${service.name} is not reachable by name from here. ${problem.what} ${problem.why}`;
    notice({ level: 'warning', text });
  }
  for (const { name, address, ports } of listeners.services) {
    for (const port of ports.filter((each) => localPorts.has(each))) {
      const text = `Service ${name} uses port ${port} too, on ${address}: let your program listen on 127.0.0.1:${port}, or choose another local port with "ports".`;
      notice({ level: 'info', text });
    }
  }
  return listeners;
}

/** Whether both are the same Service. */
export function sameService(a: ServiceName, b: ServiceName): boolean {
  return a.name === b.name && a.namespace === b.namespace;
}

interface ServiceName {
  readonly name: string;
  readonly namespace: string;
}

/** A headless Service has no address of its own; the pod's resolver picks one of its pods. */
function hostInCluster(services: readonly VisibleService[], wanted: ServiceName): string {
  const service = services.find((candidate) => sameService(candidate, wanted));
  return service?.clusterIP ?? `${wanted.name}.${wanted.namespace}.svc`;
}
