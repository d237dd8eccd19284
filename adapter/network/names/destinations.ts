/**
 * What names such as `prices` and `db-0.db` lead to, worked out from the Services of the cluster as its DNS and the search
 * list of a pod do it. It knows no addresses of this computer.
 */
import { isIP } from 'node:net';
import { fullNameOf, isHoldable, relativeNames } from './pod-names.ts';

/** Something in the cluster that has names and ports. Plain data: it can be sent to other processes. */
export interface Destination {
  /** Stands for it as long as the session lives: 'shop/prices', 'shop/db/db-0'. */
  readonly key: string;
  /** What the user reads: 'prices', 'db-0.db', 'prices.other'. */
  readonly label: string;
  readonly namespace: string;
  /** All names that lead here. Several destinations may share one, as the pods of a headless Service share its name. */
  readonly hostNames: readonly string[];
  /** The shortest form of each of its names: 'prices'; 'db-0.db' and 'db'. */
  readonly shortNames: readonly string[];
  /** TCP ports, each once, in the Service's order. */
  readonly ports: readonly number[];
  /** The names of those ports that have one. */
  readonly portNames: Readonly<Record<number, string>>;
  /** Its UDP ports, if it has any; a number may be among the TCP ports too, as 53 is for DNS. */
  readonly udp?: UdpPorts;
  /** The IPv4 address that the cluster itself has for it; undefined for pods, names outside and IPv6. */
  readonly clusterIP?: string;
  /** Where the agent dials, with the same ports. */
  readonly dial: { readonly host: string };
}

interface UdpPorts {
  readonly ports: readonly number[];
  readonly portNames: Readonly<Record<number, string>>;
  /** Whether the Service's first port is one of them: variables such as DNS_SERVICE_PORT mean that one. */
  readonly isFirst: boolean;
}

/** A port of a destination. */
export interface DestinationPort {
  readonly port: number;
  /** Undefined: TCP. */
  readonly protocol?: 'UDP' | undefined;
}

/** All ports of a destination, the Service's first one first. */
export function portsOf({ ports, udp }: Pick<Destination, 'ports' | 'udp'>): readonly DestinationPort[] {
  const tcp = ports.map((port) => ({ port }));
  const datagrams = (udp?.ports ?? []).map((port) => ({ port, protocol: 'UDP' as const }));
  return udp?.isFirst ? [...datagrams, ...tcp] : [...tcp, ...datagrams];
}

/** As kubectl writes it, without what is usual: `80`, `53/udp`. */
export function portText({ port, protocol }: DestinationPort): string {
  return protocol === undefined ? `${port}` : `${port}/${protocol.toLowerCase()}`;
}

/** A port of a Service or of one of its pods. */
interface DeclaredPort {
  readonly name: string;
  readonly port: number;
  /** TCP, UDP or SCTP. */
  readonly protocol: string;
}

/** A Service, as cluster/watch-names.ts gives it. */
export interface DeclaredService {
  readonly name: string;
  readonly namespace: string;
  readonly type: string;
  /** undefined: headless, or ExternalName */
  readonly clusterIP: string | undefined;
  readonly clusterIPs: readonly string[];
  readonly ports: readonly (DeclaredPort & { readonly targetPort?: number | string | undefined })[];
  readonly externalName: string | undefined;
  readonly publishNotReadyAddresses: boolean;
  /** Its pods; undefined if they are not known. */
  readonly endpoints?: readonly DeclaredEndpoint[] | undefined;
}

/** A pod, or another address, behind a Service. */
export interface DeclaredEndpoint {
  readonly address: string;
  /** The name that it has in front of the Service's, as pods of a StatefulSet do. */
  readonly hostname: string | undefined;
  readonly pod: string | undefined;
  readonly ready: boolean;
  readonly ports: readonly DeclaredPort[];
}

export interface DeclaredNames {
  /** In the order of their creation: it decides who is named first. */
  readonly services: readonly DeclaredService[];
  /** The namespaces of which all Services are in `services`. */
  readonly namespaces: readonly string[];
}

/** Pods without a name of their own only share the Service's; more of them than this help nobody here. */
const namelessEndpoints = 16;
/** What an ExternalName without ports is most likely asked for. */
const externalPorts: readonly DeclaredPort[] = [
  { name: 'http', port: 80, protocol: 'TCP' },
  { name: 'https', port: 443, protocol: 'TCP' },
];

/** A destination before it is known which of its names are its own alone. */
interface Draft extends Omit<Destination, 'hostNames' | 'shortNames'> {
  readonly fullNames: Set<string>;
}

/**
 * All destinations of a pod in the session's namespace, in the order of the Services, and what the user has to know about
 * those that are missing, in full sentences. What has no ports, and a headless Service without ready pods, is none.
 */
export function destinationsOf(
  declared: DeclaredNames,
  sessionNamespace: string,
  clusterDomain = 'cluster.local',
): { readonly destinations: readonly Destination[]; readonly notes: readonly string[] } {
  const book = new NameBook(declared, sessionNamespace, clusterDomain);
  for (const service of book.services) book.add(service);
  return { destinations: book.destinations(), notes: [...book.notes] };
}

class NameBook {
  readonly notes = new Set<string>();
  readonly services: readonly DeclaredService[];
  readonly #namespaces: ReadonlySet<string>;
  readonly #sessionNamespace: string;
  readonly #clusterDomain: string;
  readonly #drafts = new Map<string, Draft>();
  readonly #byName = new Map<string, DeclaredService>();
  /** ExternalNames that have been followed, by their full name. */
  readonly #followed = new Map<string, readonly Draft[]>();

  constructor({ services, namespaces }: DeclaredNames, sessionNamespace: string, clusterDomain: string) {
    this.#namespaces = new Set(namespaces);
    this.#sessionNamespace = sessionNamespace;
    this.#clusterDomain = clusterDomain;
    // The caller adds the API server's Service, which may be among the others.
    for (const service of services) {
      const full = this.#fullName(service);
      if (!this.#byName.has(full)) this.#byName.set(full, service);
    }
    // An ExternalName is another name of what the others are.
    const isExternal = ({ type }: DeclaredService) => type === 'ExternalName';
    const all = [...this.#byName.values()];
    this.services = [...all.filter((service) => !isExternal(service)), ...all.filter(isExternal)];
  }

  add(service: DeclaredService): void {
    if (service.type === 'ExternalName') {
      this.#follow(service, new Set());
      return;
    }
    const hasAddress = service.clusterIP !== undefined;
    if (hasAddress || service.endpoints === undefined) this.#addService(service);
    if (service.endpoints !== undefined) this.#addEndpoints(service, service.endpoints);
  }

  destinations(): readonly Destination[] {
    const drafts = this.#inOrder();
    const owners = this.#ownersOfNames(drafts);
    return drafts.flatMap(({ fullNames, ...draft }) => {
      const names = [...fullNames].map((full) =>
        this.#relative(full).filter((name) => owners.get(name) === full && this.#isHoldable(name, draft.label)),
      );
      const hostNames = [...new Set(names.flat())];
      if (hostNames.length === 0) return [];
      return [{ ...draft, hostNames, shortNames: [...new Set(names.flatMap(([shortest]) => shortest ?? []))] }];
    });
  }

  /** As the Services are; what was added later for an ExternalName stands in its place. */
  #inOrder(): readonly Draft[] {
    const place = new Map([...this.#byName.values()].map((service, index) => [keyOf(service), index]));
    const placeOf = ({ key }: Draft) => place.get(key.split('/', 2).join('/')) ?? 0;
    return [...this.#drafts.values()].sort((a, b) => placeOf(a) - placeOf(b));
  }

  /** Of names that mean several things, the pod's resolver takes what its search list finds first. */
  #ownersOfNames(drafts: readonly Draft[]): ReadonlyMap<string, string> {
    const owners = new Map<string, { full: string; rank: number }>();
    for (const full of new Set(drafts.flatMap(({ fullNames }) => [...fullNames]))) {
      for (const { name, rank } of relativeNames(full, this.#sessionNamespace, this.#clusterDomain)) {
        if (rank < (owners.get(name)?.rank ?? Number.POSITIVE_INFINITY)) owners.set(name, { full, rank });
      }
    }
    return new Map([...owners].map(([name, { full }]) => [name, full]));
  }

  #relative(full: string): readonly string[] {
    return relativeNames(full, this.#sessionNamespace, this.#clusterDomain).map(({ name }) => name);
  }

  #isHoldable(name: string, label: string): boolean {
    if (isHoldable(name)) return true;
    this.notes.add(`The name ${name} of ${label} is left out: name resolution on this computer does not take it.`);
    return false;
  }

  #addService(service: DeclaredService): void {
    const headless = service.clusterIP === undefined;
    // Nothing translates the ports of a headless Service: callers use those of the pods.
    const ports = this.#ports(service, headless ? podPorts(service) : service.ports);
    const clusterIP = service.clusterIPs.find((address) => isIP(address) === 4) ?? service.clusterIP;
    this.#addDraft({
      key: keyOf(service),
      label: this.#label(service),
      namespace: service.namespace,
      ...ports,
      ...(clusterIP !== undefined && isIP(clusterIP) === 4 && { clusterIP }),
      // Completed by the agent's own search list, which knows the domain of the cluster for sure.
      dial: { host: service.clusterIP ?? `${service.name}.${service.namespace}.svc` },
      fullNames: new Set([this.#fullName(service)]),
    });
  }

  /** The pods' own names, and for a headless Service its name for all of them. */
  #addEndpoints(service: DeclaredService, endpoints: readonly DeclaredEndpoint[]): void {
    const headless = service.clusterIP === undefined;
    const offered = endpoints
      .filter(({ ready, hostname }) => (ready || service.publishNotReadyAddresses) && (headless || hostname))
      .sort((a, b) => compare(nameOf(a), nameOf(b)) || compare(a.address, b.address));
    const nameless = offered.filter(({ hostname }) => !hostname);
    const surplus = new Set(nameless.slice(namelessEndpoints));
    if (surplus.size > 0) {
      this.notes.add(
        `Service ${this.#label(service)} has ${nameless.length} pods without names of their own. Its name leads to ${namelessEndpoints} of them from here.`,
      );
    }
    // Told once for the Service, also while it has no pods.
    const fallback = this.#ports(service, headless ? podPorts(service) : []);
    for (const endpoint of offered) {
      if (surplus.has(endpoint)) continue;
      const own = endpoint.hostname && `${endpoint.hostname}.${this.#fullName(service)}`;
      const ports = carried(endpoint.ports);
      this.#addDraft({
        key: this.#keyOfEndpoint(service, endpoint),
        label: this.#labelOfEndpoint(service, endpoint),
        namespace: service.namespace,
        ...(portsOf(ports).length > 0 ? ports : fallback),
        dial: { host: endpoint.address },
        fullNames: new Set([...(own ? [own] : []), ...(headless ? [this.#fullName(service)] : [])]),
      });
    }
  }

  /** A pod that comes again under its name keeps its key, and so its address here. */
  #keyOfEndpoint(service: DeclaredService, { hostname, pod, address }: DeclaredEndpoint): string {
    const candidates = [hostname, pod, address].filter((name) => name !== undefined && name !== '');
    const keys = candidates.map((name) => `${keyOf(service)}/${name}`);
    return keys.find((key) => !this.#drafts.has(key)) ?? `${keyOf(service)}/${hostname}/${address}`;
  }

  #labelOfEndpoint(service: DeclaredService, { hostname, pod, address }: DeclaredEndpoint): string {
    const label = this.#label(service);
    return hostname ? `${hostname}.${label}` : `${label} (${pod ?? address})`;
  }

  /** What an ExternalName leads to in the end; its own name is added there. */
  #follow(service: DeclaredService, seen: Set<string>): readonly Draft[] {
    const full = this.#fullName(service);
    const known = this.#followed.get(full);
    if (known !== undefined) return known;
    seen.add(full);
    const target = (service.externalName ?? '').toLowerCase().replace(/\.$/, '');
    const drafts = this.#targetOf(service, target, seen);
    for (const draft of drafts) draft.fullNames.add(full);
    this.#followed.set(full, drafts);
    return drafts;
  }

  #targetOf(service: DeclaredService, target: string, seen: Set<string>): readonly Draft[] {
    const label = this.#label(service);
    const found = [...this.#drafts.values()].filter(({ fullNames }) => fullNames.has(target));
    if (found.length > 0) return found;
    const next = this.#byName.get(target);
    if (next?.type === 'ExternalName') {
      if (!seen.has(target)) return this.#follow(next, seen);
      this.notes.add(`Service ${label} is left out: its ExternalName leads back to itself.`);
      return [];
    }
    if (isIP(target) !== 0 || !/^[a-z0-9_]([-a-z0-9_.]*[a-z0-9])?$/.test(target)) {
      this.notes.add(`Service ${label} is left out: its ExternalName "${target}" is no name that DNS could answer.`);
      return [];
    }
    const suffix = `.svc.${this.#clusterDomain}`;
    const namespace = target.endsWith(suffix) ? target.slice(0, -suffix.length).split('.').at(-1) : undefined;
    if (namespace !== undefined && this.#namespaces.has(namespace)) {
      this.notes.add(`Service ${label} leads to ${target}, where nothing can be reached now.`);
      return [];
    }
    return this.#addExternal(service, target, namespace);
  }

  #addExternal(service: DeclaredService, target: string, namespace: string | undefined): readonly Draft[] {
    const label = this.#label(service);
    if (service.ports.length === 0) {
      const better =
        namespace === undefined
          ? 'Declare others in the Service.'
          : `Declare others in the Service, or ask for the names of namespace ${namespace} too.`;
      this.notes.add(`Service ${label} leads to ${target} and declares no ports: 80 and 443 are assumed. ${better}`);
    }
    const draft = this.#addDraft({
      key: keyOf(service),
      label,
      namespace: service.namespace,
      ...this.#ports(service, service.ports.length > 0 ? service.ports : externalPorts),
      // As DNS follows it: a whole name, which is not looked for in the search list first.
      dial: { host: `${target}.` },
      fullNames: new Set([this.#fullName(service)]),
    });
    return draft ? [draft] : [];
  }

  #addDraft(draft: Draft): Draft | undefined {
    if (portsOf(draft).length === 0) return undefined;
    this.#drafts.set(draft.key, draft);
    return draft;
  }

  /** The ports that are carried; of the others the user is told. */
  #ports(service: DeclaredService, ports: readonly DeclaredPort[]): CarriedPorts {
    for (const { port, protocol } of ports) {
      if (protocol === 'TCP' || protocol === 'UDP') continue;
      this.notes.add(
        `Port ${port}/${protocol} of Service ${this.#label(service)} is not reachable from here: only TCP and UDP are carried.`,
      );
    }
    if (service.type !== 'ExternalName' && service.ports.length === 0) {
      this.notes.add(`Service ${this.#label(service)} declares no ports, so nothing can be reached under its name.`);
    }
    return carried(ports);
  }

  #fullName(service: DeclaredService): string {
    return fullNameOf(service, this.#clusterDomain);
  }

  #label({ name, namespace }: DeclaredService): string {
    return namespace === this.#sessionNamespace ? name : `${name}.${namespace}`;
  }
}

function keyOf({ name, namespace }: DeclaredService): string {
  return `${namespace}/${name}`;
}

function podPorts({ ports }: DeclaredService): readonly DeclaredPort[] {
  return ports.map(({ targetPort, ...port }) => ({
    ...port,
    port: typeof targetPort === 'number' ? targetPort : port.port,
  }));
}

type CarriedPorts = Pick<Destination, 'ports' | 'portNames' | 'udp'>;

function carried(ports: readonly DeclaredPort[]): CarriedPorts {
  const tcp = ofProtocol(ports, 'TCP');
  const udp = ofProtocol(ports, 'UDP');
  if (udp.ports.length === 0) return tcp;
  const first = ports.find(({ protocol }) => protocol === 'TCP' || protocol === 'UDP');
  return { ...tcp, udp: { ...udp, isFirst: first?.protocol === 'UDP' } };
}

function ofProtocol(all: readonly DeclaredPort[], wanted: 'TCP' | 'UDP'): Pick<Destination, 'ports' | 'portNames'> {
  const ports = all.filter(({ protocol }) => protocol === wanted);
  return {
    ports: [...new Set(ports.map(({ port }) => port))],
    portNames: Object.fromEntries(ports.filter(({ name }) => name !== '').map(({ port, name }) => [port, name])),
  };
}

function nameOf({ hostname, pod, address }: DeclaredEndpoint): string {
  return hostname || pod || address;
}

/** db-2 before db-10. */
function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
