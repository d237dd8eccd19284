/** A live view of everything that a pod can call by name: the Services of some namespaces, and the pods behind them. */
import { setTimeout as delay } from 'node:timers/promises';
import { hasStatus } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { endpointSlicesPath, endpointsByService, type ServiceEndpoint } from './endpoints.ts';
import { missingNameRight, type NameRight, nameRights } from './name-rights.ts';
import { endpointSliceSchema, serviceSchema } from './objects.ts';
import { servicesPath, type VisibleService, visibleServices } from './services.ts';
import { watchOrList } from './watch-or-list.ts';

/** A Service with what is behind it. */
interface ServiceWithEndpoints extends VisibleService {
  /** All endpoints of a headless Service, of others those with a name of their own; undefined if the user may not see any. */
  readonly endpoints: readonly ServiceEndpoint[] | undefined;
}

export interface NamesSnapshot {
  /** By namespace in the order that was asked for, within one in the order of creation. */
  readonly services: readonly ServiceWithEndpoints[];
  /** The namespaces whose Services are known. */
  readonly namespaces: readonly string[];
  /** What is not known, and why, in full sentences. */
  readonly notes: readonly string[];
}

/** Milliseconds within which changes are one: a rollout changes EndpointSlices many times in a row. */
const calm = 200;

/**
 * The whole view at the start, and again when something in it has changed. The first namespace is the session's. Where the
 * user may not watch, or not see EndpointSlices or another namespace, the view has less, and a note.
 * Waits through outages of the API server. Ends only by the signal (throws its reason) or a Problem: right-missing if the
 * Services of the first namespace may not be listed.
 */
export async function* watchNames(
  cluster: Cluster,
  { namespaces }: { readonly namespaces: readonly string[] },
  signal: AbortSignal,
): AsyncGenerator<NamesSnapshot> {
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const [own, ...others] = new Set(namespaces);
  if (own === undefined) throw new RangeError('no namespace');
  let failure: { readonly error: unknown } | undefined;
  let wake = Promise.withResolvers<void>();
  const views = [own, ...others].map((name) => new NamespaceView(cluster, name, name === own, () => wake.resolve()));
  const watching = views.map((view) =>
    view
      .follow(ended)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => wake.resolve()),
  );
  try {
    let shown = '';
    for (;;) {
      await wake.promise;
      if (shown !== '' && !failure) await calmDown(signal);
      wake = Promise.withResolvers();
      signal.throwIfAborted();
      if (failure) throw failure.error;
      const parts = views.flatMap((view) => view.current ?? []);
      if (parts.length < views.length) continue;
      const snapshot = together(parts);
      const text = JSON.stringify(snapshot);
      if (text === shown) continue;
      shown = text;
      yield snapshot;
    }
  } finally {
    stop.abort();
    await Promise.all(watching);
  }
}

async function calmDown(signal: AbortSignal): Promise<void> {
  try {
    await delay(calm, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function together(parts: readonly NamesSnapshot[]): NamesSnapshot {
  return {
    services: parts.flatMap(({ services }) => services),
    namespaces: parts.flatMap((part) => part.namespaces),
    notes: parts.flatMap(({ notes }) => notes),
  };
}

/** What one of the two lists of a namespace has come to. */
type State<T> = { readonly known: T; readonly watched: boolean } | 'forbidden';

class NamespaceView {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  /** Without this one's Services there is no session. */
  readonly #needed: boolean;
  readonly #changed: () => void;
  #services: State<readonly VisibleService[]> | undefined;
  #endpoints: State<ReadonlyMap<string, readonly ServiceEndpoint[]>> | undefined;

  constructor(cluster: Cluster, namespace: string, needed: boolean, changed: () => void) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#needed = needed;
    this.#changed = changed;
  }

  /** Keeps both lists up to date until the signal aborts, which is no error. */
  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#followServices(signal), this.#followEndpoints(signal)]);
  }

  /** undefined until both lists are known. */
  get current(): NamesSnapshot | undefined {
    const services = this.#services;
    const endpoints = this.#endpoints;
    if (services === undefined || endpoints === undefined) return undefined;
    if (services === 'forbidden') return { services: [], namespaces: [], notes: this.#missing('services', 'list') };
    const notes: string[] = [];
    if (!services.watched) notes.push(...this.#missing('services', 'watch'));
    if (endpoints === 'forbidden') notes.push(...this.#missing('endpointslices', 'list'));
    else if (!endpoints.watched) notes.push(...this.#missing('endpointslices', 'watch'));
    if (!this.#needed && services.known.length === 0)
      notes.push(`There are no Services in namespace ${this.#namespace}.`);
    return {
      services: services.known.map((service) => ({
        ...service,
        endpoints: endpoints === 'forbidden' ? undefined : nameable(service, endpoints.known.get(service.name) ?? []),
      })),
      namespaces: [this.#namespace],
      notes,
    };
  }

  #missing(resource: NameRight['resource'], verb: NameRight['verb']): readonly string[] {
    return nameRights(this.#namespace, this.#needed)
      .filter((right) => right.resource === resource && right.verb === verb)
      .map(missingNameRight);
  }

  async #followServices(signal: AbortSignal): Promise<void> {
    const path = servicesPath(this.#namespace);
    await this.#tolerant([403], !this.#needed, signal, async () => {
      for await (const { objects, watched } of watchOrList(this.#cluster.api, path, serviceSchema, signal)) {
        this.#services = { known: visibleServices(objects), watched };
        this.#changed();
      }
    });
    if (signal.aborted) return;
    this.#services = 'forbidden';
    this.#changed();
  }

  async #followEndpoints(signal: AbortSignal): Promise<void> {
    const path = endpointSlicesPath(this.#namespace);
    // Clusters before 1.21 do not know this version.
    await this.#tolerant([403, 404], true, signal, async () => {
      for await (const { objects, watched } of watchOrList(this.#cluster.api, path, endpointSliceSchema, signal)) {
        this.#endpoints = { known: endpointsByService(objects), watched };
        this.#changed();
      }
    });
    if (signal.aborted) return;
    this.#endpoints = 'forbidden';
    this.#changed();
  }

  /** Resolves when the view is at its end: it may not go on, or the signal has aborted. */
  async #tolerant(
    statuses: readonly number[],
    tolerated: boolean,
    signal: AbortSignal,
    follow: () => Promise<void>,
  ): Promise<void> {
    try {
      await follow();
    } catch (error) {
      if (signal.aborted || (tolerated && hasStatus(error, ...statuses))) return;
      throw error;
    }
  }
}

/** Only these can be called by name one by one. */
function nameable(service: VisibleService, endpoints: readonly ServiceEndpoint[]): readonly ServiceEndpoint[] {
  if (service.type === 'ExternalName') return [];
  return service.clusterIP === undefined ? endpoints : endpoints.filter(({ hostname }) => hostname !== undefined);
}
