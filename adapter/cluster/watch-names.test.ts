import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { destinationsOf } from '../network/names/destinations.ts';
import { type FakeAnswer, FakeApiServer } from './fake-api-server.ts';
import { type NamesSnapshot, watchNames } from './watch-names.ts';

/** The objects of one kind in one namespace; a watch of them stays open. */
interface Shelf {
  readonly objects: { readonly version: number; readonly object: object }[];
  /** Instead of a list, or of a watch. */
  refused?: 'list' | 'watch';
  readonly watches: ServerResponse[];
}

/** An API server with Services and EndpointSlices that change. */
class Shelves implements AsyncDisposable {
  readonly server: FakeApiServer;
  readonly #shelves: Map<string, Shelf>;
  #version = 0;

  private constructor(server: FakeApiServer, shelves: Map<string, Shelf>) {
    this.server = server;
    this.#shelves = shelves;
  }

  static async start(): Promise<Shelves> {
    const shelves = new Map<string, Shelf>();
    const server = await FakeApiServer.start(({ path, query }): FakeAnswer => {
      const [namespace = '', kind = ''] = path.split('/').slice(-2);
      const shelf = shelfOf(shelves, namespace, kind);
      const watch = query.get('watch') !== null;
      if (shelf.refused === 'list' || (watch && shelf.refused === 'watch')) return 403;
      const last = shelf.objects.at(-1)?.version ?? 0;
      const items = shelf.objects.map(({ object }) => object);
      if (!watch) return { metadata: { resourceVersion: String(last) }, items };
      return (response) => {
        shelf.watches.push(response.writeHead(200));
        response.flushHeaders();
        const since = Number(query.get('resourceVersion'));
        for (const { version, object } of shelf.objects) if (version > since) response.write(added(object));
      };
    });
    return new Shelves(server, shelves);
  }

  refuse(namespace: string, kind: string, verb: 'list' | 'watch'): void {
    shelfOf(this.#shelves, namespace, kind).refused = verb;
  }

  put(namespace: string, kind: string, object: { name: string; created?: string; labels?: object } & object): void {
    const { name, created = '2026-01-01T00:00:00Z', labels = {}, ...rest } = object;
    const metadata = { name, namespace, uid: name, creationTimestamp: created, labels };
    const version = ++this.#version;
    const whole = { ...rest, metadata: { ...metadata, resourceVersion: String(version) } };
    const shelf = shelfOf(this.#shelves, namespace, kind);
    shelf.objects.push({ version, object: whole });
    for (const watch of shelf.watches) watch.write(added(whole));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

function added(object: object): string {
  return `${JSON.stringify({ type: 'ADDED', object })}\n`;
}

function shelfOf(shelves: Map<string, Shelf>, namespace: string, kind: string): Shelf {
  const key = `${namespace}/${kind}`;
  const shelf: Shelf = shelves.get(key) ?? { objects: [], watches: [] };
  shelves.set(key, shelf);
  return shelf;
}

const clusterIP = (address: string) => ({ spec: { clusterIP: address, ports: [{ port: 80, targetPort: 'http' }] } });
const headless = { spec: { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432 }] } };

function endpoints(service: string, ...pods: readonly string[]) {
  return {
    name: `${service}-${pods.join('-')}`,
    labels: { 'kubernetes.io/service-name': service },
    addressType: 'IPv4',
    endpoints: pods.map((pod, index) => ({
      addresses: [`10.1.0.${index + 1}`],
      hostname: pod,
      targetRef: { kind: 'Pod', name: pod },
    })),
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  };
}

/** Takes snapshots until one is as wanted. */
async function until(
  snapshots: AsyncGenerator<NamesSnapshot>,
  wanted: (snapshot: NamesSnapshot) => boolean,
): Promise<NamesSnapshot> {
  for (;;) {
    const { value, done } = await snapshots.next();
    if (done) throw new Error('the snapshots have ended');
    if (wanted(value)) return value;
  }
}

const first = (snapshots: AsyncGenerator<NamesSnapshot>) => until(snapshots, () => true);
const named = (name: string) => (snapshot: NamesSnapshot) => snapshot.services.some((service) => service.name === name);

function watch(shelves: Shelves, stop: AbortController, ...namespaces: readonly string[]) {
  return watchNames(shelves.server.cluster(), { namespaces }, stop.signal);
}

describe('the view', () => {
  it('has Services by namespace and creation, with the pods of headless ones', async () => {
    await using shelves = await Shelves.start();
    const stop = new AbortController();
    shelves.put('shop', 'services', { name: 'young', created: '2026-02-02T00:00:00Z', ...clusterIP('10.0.0.2') });
    shelves.put('shop', 'services', { name: 'db', created: '2026-01-02T00:00:00Z', ...headless });
    shelves.put('other', 'services', { name: 'old', created: '2020-01-01T00:00:00Z', ...clusterIP('10.0.0.3') });
    shelves.put('shop', 'endpointslices', endpoints('db', 'db-0', 'db-1'));
    const snapshots = watch(shelves, stop, 'shop', 'other');
    const snapshot = await first(snapshots);
    expect(snapshot.notes).toEqual([]);
    expect(snapshot.namespaces).toEqual(['shop', 'other']);
    expect(snapshot.services.map(({ name }) => name)).toEqual(['db', 'young', 'old']);
    expect(snapshot.services[0]).toEqual({
      name: 'db',
      namespace: 'shop',
      type: 'ClusterIP',
      clusterIP: undefined,
      clusterIPs: [],
      ports: [{ name: 'sql', port: 5432, protocol: 'TCP', targetPort: undefined }],
      externalName: undefined,
      publishNotReadyAddresses: false,
      created: '2026-01-02T00:00:00Z',
      endpoints: ['db-0', 'db-1'].map((pod, index) => ({
        address: `10.1.0.${index + 1}`,
        hostname: pod,
        pod,
        ready: true,
        ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
      })),
    });
    expect(snapshot.services[1]).toMatchObject({ clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.2'], endpoints: [] });
    expect(destinationsOf(snapshot, 'shop').destinations.map(({ label }) => label)).toEqual([
      'db-0.db',
      'db-1.db',
      'young',
      'old.other',
    ]);
    stop.abort();
  });

  it('comes again with each change, and not without one', async () => {
    await using shelves = await Shelves.start();
    const stop = new AbortController();
    shelves.put('shop', 'services', { name: 'db', ...headless });
    const snapshots = watch(shelves, stop, 'shop');
    await first(snapshots);
    // Of a Service that there is not: nothing that is shown changes.
    shelves.put('shop', 'endpointslices', endpoints('nobody', 'x-0'));
    shelves.put('shop', 'endpointslices', endpoints('db', 'db-0'));
    const { services } = await first(snapshots);
    expect(services[0]?.endpoints).toMatchObject([{ hostname: 'db-0' }]);
    shelves.put('shop', 'services', { name: 'prices', ...clusterIP('10.0.0.2') });
    expect((await until(snapshots, named('prices'))).services).toHaveLength(2);
    stop.abort();
  });

  it('takes changes that come together for one', async () => {
    await using shelves = await Shelves.start();
    const stop = new AbortController();
    const snapshots = watch(shelves, stop, 'shop');
    await first(snapshots);
    const next = first(snapshots);
    for (let index = 0; index < 50; index++) {
      shelves.put('shop', 'services', { name: `s${index}`, ...clusterIP(`10.0.0.${index}`) });
    }
    const { services } = await next;
    expect(services.length).toBeGreaterThan(1);
    stop.abort();
  });
});

describe('without a right', () => {
  it('to watch, the lists alone do', async () => {
    await using shelves = await Shelves.start();
    const stop = new AbortController();
    shelves.refuse('shop', 'services', 'watch');
    shelves.refuse('shop', 'endpointslices', 'watch');
    shelves.put('shop', 'services', { name: 'prices', ...clusterIP('10.0.0.2') });
    const snapshots = watch(shelves, stop, 'shop');
    const { services, notes } = await until(snapshots, (snapshot) => snapshot.notes.length === 2);
    expect(services.map(({ name }) => name)).toEqual(['prices']);
    expect(notes).toEqual([
      'You may not watch services in namespace shop. Services that come or go during the session show here after up to 30 seconds.',
      'You may not watch endpointslices in namespace shop. Pods of headless Services that come or go during the session show here after up to 30 seconds.',
    ]);
    stop.abort();
  });

  it('to see EndpointSlices, headless Services are called by their own name', async () => {
    await using shelves = await Shelves.start();
    const stop = new AbortController();
    shelves.refuse('shop', 'endpointslices', 'list');
    shelves.put('shop', 'services', { name: 'db', ...headless });
    const snapshot = await first(watch(shelves, stop, 'shop'));
    expect(snapshot.notes).toEqual([
      'You may not list endpointslices in namespace shop. Headless Services are called by their own names only, not by names of pods such as db-0.db.',
    ]);
    expect(destinationsOf(snapshot, 'shop').destinations).toMatchObject([
      { key: 'shop/db', ports: [5432], dial: { host: 'db.shop.svc' } },
    ]);
    stop.abort();
  });

  it('in another namespace, only that one is missing', async () => {
    await using shelves = await Shelves.start();
    const stop = new AbortController();
    shelves.refuse('secret', 'services', 'list');
    shelves.put('shop', 'services', { name: 'prices', ...clusterIP('10.0.0.2') });
    const { services, namespaces, notes } = await first(watch(shelves, stop, 'shop', 'secret', 'empty'));
    expect(services.map(({ name }) => name)).toEqual(['prices']);
    expect(namespaces).toEqual(['shop', 'empty']);
    expect(notes).toEqual([
      'You may not list services in namespace secret. Its Services have no names here.',
      'There are no Services in namespace empty.',
    ]);
    stop.abort();
  });

  it('to list the Services of its own namespace there is no view', async () => {
    await using shelves = await Shelves.start();
    shelves.refuse('shop', 'services', 'list');
    await expect(first(watch(shelves, new AbortController(), 'shop'))).rejects.toMatchObject({ status: 403 });
  });
});

it('ends with the reason of the signal', async () => {
  await using shelves = await Shelves.start();
  const stop = new AbortController();
  const snapshots = watch(shelves, stop, 'shop');
  await first(snapshots);
  const next = snapshots.next();
  stop.abort(new Error('enough'));
  await expect(next).rejects.toThrow('enough');
});

it('leaves no watch behind when nobody listens any more', async () => {
  await using shelves = await Shelves.start();
  shelves.put('shop', 'services', { name: 'prices', ...clusterIP('10.0.0.2') });
  for await (const { services } of watch(shelves, new AbortController(), 'shop')) {
    expect(services).toHaveLength(1);
    break;
  }
  const { length } = shelves.server.requests;
  shelves.put('shop', 'services', { name: 'cart', ...clusterIP('10.0.0.3') });
  expect(shelves.server.requests).toHaveLength(length);
});
