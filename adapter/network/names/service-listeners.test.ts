import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { nextAddress } from './addresses.ts';
import { type Listen, openServiceListeners } from './service-listeners.ts';

const signal = new AbortController().signal;
const onError = (error: Error) => {
  throw error;
};

/** As tunnel/listener.ts, as far as is needed here. */
const listen: Listen = async ({ address, port, dial }) => {
  const server = createServer((socket) => dial().pipe(socket)).listen(port, address);
  await once(server, 'listening');
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
};

async function occupied(address: string, port = 0): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer().listen(port, address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function freePorts(count: number): Promise<number[]> {
  await using stack = new AsyncDisposableStack();
  const servers = await Promise.all(Array.from({ length: count }, () => occupied('0.0.0.0')));
  for (const server of servers) stack.use(server);
  return servers.map((server) => server.port);
}

const service = (name: string, address: string, ports: readonly number[]) => ({
  name,
  namespace: 'shop',
  address,
  hostNames: [name],
  ports,
});

const dial = (target: { name: string }, port: number) => {
  const stream = new PassThrough();
  stream.end(`${target.name}:${port}`);
  return stream;
};

describe('openServiceListeners', () => {
  it('listens for every port of every service, and not after its end', async () => {
    const [one = 0, two = 0] = await freePorts(2);
    const services = [service('prices', '127.64.7.1', [one, two]), service('cart', '127.64.7.2', [one])];
    const listeners = await openServiceListeners({ services, dial, listen, onError, signal });
    expect(listeners.services).toEqual(services);
    expect(await text(connect(two, '127.64.7.1'))).toBe(`prices:${two}`);
    expect(await text(connect(one, '127.64.7.2'))).toBe(`cart:${one}`);
    await listeners[Symbol.asyncDispose]();
    await expect(text(connect(one, '127.64.7.2'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('moves a service with all its ports to an address that nobody uses', async () => {
    const [one = 0] = await freePorts(1);
    await using taken = await occupied('127.64.8.1');
    const services = [service('prices', '127.64.8.1', [one, taken.port]), service('cart', '127.64.8.2', [one])];
    await using listeners = await openServiceListeners({ services, dial, listen, onError, signal });
    const address = nextAddress('127.64.8.1', new Set(['127.64.8.2']));
    expect(listeners.services.map((it) => it.address)).toEqual([address, '127.64.8.2']);
    expect(await text(connect(one, address))).toBe(`prices:${one}`);
    await expect(text(connect(one, '127.64.8.1'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('leaves out a service whose port somebody holds on all addresses, and names who', async () => {
    const [one = 0] = await freePorts(1);
    await using taken = await occupied('0.0.0.0');
    const services = [service('cart', '127.64.9.2', [one]), service('prices', '127.64.9.1', [one, taken.port])];
    await using listeners = await openServiceListeners({ services, dial, listen, onError, signal });
    expect(listeners.services.map(({ name }) => name)).toEqual(['cart']);
    expect(listeners.leftOut).toMatchObject([
      {
        service: { name: 'prices' },
        problem: { code: 'port-in-use', why: expect.stringContaining(`pid ${process.pid}`) },
      },
    ]);
    await expect(text(connect(one, '127.64.9.1'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('says that a low port needs privileges', async () => {
    const refuse: Listen = () => Promise.reject(Object.assign(new Error('listen EACCES'), { code: 'EACCES' }));
    const services = [service('prices', '127.64.9.1', [80])];
    await expect(openServiceListeners({ services, dial, listen: refuse, onError, signal })).rejects.toMatchObject({
      code: 'privileges-needed',
      what: expect.stringContaining('127.64.9.1:80'),
    });
  });
});
