/** Which of a cluster's Services get a name on this computer. */
import type { NamedService } from './addresses.ts';

/** A Service as the cluster lists it. */
export interface ListedService {
  readonly name: string;
  readonly namespace: string;
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
}

/** The Services with their TCP ports, and for each port that cannot be reached a note in the user's words. */
export function namedServices(listed: readonly ListedService[]): {
  readonly services: readonly NamedService[];
  readonly notes: readonly string[];
} {
  const services: NamedService[] = [];
  const notes: string[] = [];
  for (const { name, namespace, ports } of listed) {
    const tcp = [...new Set(ports.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => port))];
    if (tcp.length > 0) services.push({ name, namespace, ports: tcp });
    for (const { port, protocol } of ports) {
      if (protocol === 'TCP') continue;
      notes.push(`Port ${port}/${protocol} of Service ${name} is not reachable from here: only TCP is carried.`);
    }
  }
  return { services, notes };
}
