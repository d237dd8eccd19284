/**
 * Listens for every Service on the address that stands for it, on the Service's own ports.
 */
import type { Duplex } from 'node:stream';
import { Problem } from '../../problem.ts';
import { findPortOwner, isWildcard, listenProblem } from '../ports/ports.ts';
import type { AllocatedService } from './addresses.ts';
import { nextAddress } from './addresses.ts';

/** Joins what arrives on address:port to `dial()`; rejects with the raw error of listen(2). tunnel/listener.ts has it. */
export type Listen = (options: {
  address: string;
  port: number;
  dial(): Duplex;
  onError(error: Error): void;
  signal: AbortSignal;
}) => Promise<AsyncDisposable>;

export interface ServiceListenersOptions {
  readonly services: readonly AllocatedService[];
  /** Opens a connection to the Service's port in the cluster. */
  dial(service: AllocatedService, port: number): Duplex;
  readonly listen: Listen;
  /** A single connection failed. */
  onError(error: Error): void;
  readonly signal: AbortSignal;
}

/** The open listeners; disposing closes them. */
export interface ServiceListeners extends AsyncDisposable {
  /** The services with the addresses that they got in the end. */
  readonly services: readonly AllocatedService[];
  /** Services of which a port is taken on all addresses, with the Problem that names its owner. */
  readonly leftOut: readonly { readonly service: AllocatedService; readonly problem: Problem }[];
}

/** Somebody else may use single addresses of our range; so many in a row for one service are no chance. */
const attempts = 16;

/**
 * Opens the listeners. A service whose address is used by somebody else moves to the next one, with all its ports.
 * One of whose ports somebody listens on all addresses is left out, for then no address would do and its name would lead
 * to the wrong program; whether that matters only the user knows. Problem privileges-needed for ports below 1024; then
 * none is open.
 */
export async function openServiceListeners(options: ServiceListenersOptions): Promise<ServiceListeners> {
  const used = new Set(options.services.map(({ address }) => address));
  const results = await Promise.allSettled(options.services.map((service) => openService(service, used, options)));
  const opened = results.filter((result) => result.status === 'fulfilled').map((result) => result.value);
  const listeners = together(opened.map((one) => one.listeners));
  const leftOut: ServiceListeners['leftOut'][number][] = [];
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') continue;
    const service = options.services[index];
    const { reason } = result;
    if (service === undefined || !(reason instanceof Problem && reason.code === 'port-in-use')) {
      await listeners[Symbol.asyncDispose]();
      throw reason;
    }
    leftOut.push({ service, problem: reason });
  }
  return { services: opened.map((one) => one.service), leftOut, ...listeners };
}

async function openService(
  wanted: AllocatedService,
  used: Set<string>,
  options: ServiceListenersOptions,
): Promise<{ service: AllocatedService; listeners: AsyncDisposable }> {
  let service = wanted;
  for (let attempt = 1; ; attempt++) {
    try {
      return { service, listeners: await openPorts(service, options) };
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      const owner = error.code === 'EADDRINUSE' ? await findPortOwner(error.port, service.address) : undefined;
      const hopeless = owner !== undefined && isWildcard(owner.address);
      if (error.code !== 'EADDRINUSE' || hopeless || attempt === attempts) {
        throw await listenProblem(error.cause, service.address, error.port);
      }
      const address = nextAddress(service.address, used);
      used.add(address);
      service = { ...service, address };
    }
  }
}

async function openPorts(service: AllocatedService, options: ServiceListenersOptions): Promise<AsyncDisposable> {
  const opened: AsyncDisposable[] = [];
  for (const port of service.ports) {
    try {
      opened.push(
        await options.listen({
          address: service.address,
          port,
          dial: () => options.dial(service, port),
          onError: options.onError,
          signal: options.signal,
        }),
      );
    } catch (error) {
      await together(opened)[Symbol.asyncDispose]();
      throw new ListenError(port, error);
    }
  }
  return together(opened);
}

/** Node 22 has no AsyncDisposableStack. */
function together(parts: readonly AsyncDisposable[]): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()));
    },
  };
}

class ListenError extends Error {
  readonly port: number;
  readonly code: unknown;

  constructor(port: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.port = port;
    this.code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  }
}
