import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { listenDatagrams } from '../../tunnel/datagram-listener.ts';
import { ask, echo } from '../../tunnel/datagram-test-bed.ts';
import { nextAddress } from './addresses.ts';
import { DestinationListeners, type Listen } from './destination-listeners.ts';
import type { Destination } from './destinations.ts';

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

const datagrams = { dial: echo, listen: listenDatagrams };

const destination = (label: string, ports: readonly number[], udp: readonly number[] = []): Destination => ({
  key: `shop/${label}`,
  label,
  namespace: 'shop',
  hostNames: [label],
  shortNames: [label],
  ports,
  portNames: {},
  ...(udp.length > 0 && { udp: { ports: udp, portNames: {}, isFirst: false } }),
  dial: { host: label },
});
const placed = (label: string, address: string, ports: readonly number[], udp: readonly number[] = []) => ({
  destination: destination(label, ports, udp),
  address,
});

const dial = ({ dial: { host } }: Destination, port: number) => {
  const stream = new PassThrough();
  stream.end(`${host}:${port}`);
  return stream;
};

async function opened(places: Parameters<DestinationListeners['update']>[0], how: Listen = listen) {
  const listeners = new DestinationListeners({ dial, listen: how, datagrams, onError });
  await listeners.update(places, signal);
  return listeners;
}
const addressesOf = (listeners: DestinationListeners) => listeners.reachable.map(({ address }) => address);
const refused = { code: 'ECONNREFUSED' };

describe('DestinationListeners', () => {
  it('listens for every port of every destination, and not after its end', async () => {
    const [one = 0, two = 0] = await freePorts(2);
    const listeners = await opened([placed('prices', '127.64.7.1', [one, two]), placed('cart', '127.64.7.2', [one])]);
    expect(addressesOf(listeners)).toEqual(['127.64.7.1', '127.64.7.2']);
    expect(await text(connect(two, '127.64.7.1'))).toBe(`prices:${two}`);
    expect(await text(connect(one, '127.64.7.2'))).toBe(`cart:${one}`);
    await listeners[Symbol.asyncDispose]();
    await expect(text(connect(one, '127.64.7.2'))).rejects.toMatchObject(refused);
  });

  it('listens by UDP too, also on the number of a TCP port, and not after its end', async () => {
    const [dns = 0, statsd = 0] = await freePorts(2);
    const listeners = await opened([placed('dns', '127.64.7.3', [dns], [dns, statsd])]);
    expect(listeners.reachable).toMatchObject([
      {
        address: '127.64.7.3',
        ports: [
          { port: dns, localPort: dns },
          { port: dns, localPort: dns, protocol: 'UDP' },
          { port: statsd, localPort: statsd, protocol: 'UDP' },
        ],
      },
    ]);
    expect(await text(connect(dns, '127.64.7.3'))).toBe(`dns:${dns}`);
    expect(await ask(dns, '127.64.7.3', 'name?')).toBe(`dns:${dns} name?`);
    expect(await ask(statsd, '127.64.7.3', 'a:1|c')).toBe(`dns:${statsd} a:1|c`);
    await listeners.update([placed('dns', '127.64.7.3', [dns], [dns])], signal);
    await expect(ask(statsd, '127.64.7.3', 'gone?')).rejects.toMatchObject(refused);
    expect(await ask(dns, '127.64.7.3', 'still?')).toBe(`dns:${dns} still?`);
    await listeners[Symbol.asyncDispose]();
    await expect(ask(dns, '127.64.7.3', 'gone?')).rejects.toMatchObject(refused);
  });

  it('moves away from a UDP port that is taken there, and leaves out what is taken on all addresses', async () => {
    const [port = 0] = await freePorts(1);
    const other = await listenDatagrams({ address: '127.64.7.4', port, dial: expect.unreachable, onError, signal });
    const listeners = await opened([placed('dns', '127.64.7.4', [], [port])]);
    expect(addressesOf(listeners)).toEqual([nextAddress('127.64.7.4', new Set())]);
    await listeners[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await using _all = await listenDatagrams({ address: '0.0.0.0', port, dial: expect.unreachable, onError, signal });
    await using none = await opened([placed('dns', '127.64.7.4', [port], [port])]);
    expect(none.reachable).toEqual([]);
    expect(none.leftOut).toMatchObject([
      {
        problem: {
          code: 'port-in-use',
          what: `Port ${port}/udp of 127.64.7.4 is in use.`,
          why: expect.stringContaining(`pid ${process.pid}`),
        },
      },
    ]);
    expect(await text(connect(port, '127.64.7.4')).catch(({ code }) => code)).toBe('ECONNREFUSED');
  });

  it('moves a destination with all its ports to an address that nobody uses, and lets it stay there', async () => {
    const [one = 0] = await freePorts(1);
    await using taken = await occupied('127.64.8.1');
    const places = [placed('prices', '127.64.8.1', [one, taken.port]), placed('cart', '127.64.8.2', [one])];
    await using listeners = await opened(places);
    const address = nextAddress('127.64.8.1', new Set(['127.64.8.2']));
    expect(addressesOf(listeners)).toEqual([address, '127.64.8.2']);
    expect(await text(connect(one, address))).toBe(`prices:${one}`);
    await expect(text(connect(one, '127.64.8.1'))).rejects.toMatchObject(refused);
    await listeners.update(places, signal);
    expect(addressesOf(listeners)).toEqual([address, '127.64.8.2']);
  });

  it('leaves out one whose port somebody holds on all addresses, and names who', async () => {
    const [one = 0] = await freePorts(1);
    await using taken = await occupied('0.0.0.0');
    const places = [placed('cart', '127.64.9.2', [one]), placed('prices', '127.64.9.1', [one, taken.port])];
    await using listeners = await opened(places);
    expect(addressesOf(listeners)).toEqual(['127.64.9.2']);
    expect(listeners.leftOut).toMatchObject([
      {
        destination: { label: 'prices' },
        problem: {
          code: 'port-in-use',
          what: `Port ${taken.port} of 127.64.9.1 is in use.`,
          why: expect.stringContaining(`pid ${process.pid}`),
        },
      },
    ]);
    await expect(text(connect(one, '127.64.9.1'))).rejects.toMatchObject(refused);
  });

  it('offers it as soon as the port is free', async () => {
    const taken = await occupied('0.0.0.0');
    const places = [placed('prices', '127.64.9.4', [taken.port])];
    await using listeners = await opened(places);
    expect(addressesOf(listeners)).toEqual([]);
    await taken[Symbol.asyncDispose]();
    await listeners.update(places, signal);
    expect(listeners.leftOut).toEqual([]);
    expect(await text(connect(taken.port, '127.64.9.4'))).toBe(`prices:${taken.port}`);
  });

  it('follows what appears, vanishes, moves and gets other ports, and leaves connections to the rest alone', async () => {
    const [one = 0, two = 0] = await freePorts(2);
    const silent = (): PassThrough => new PassThrough();
    const dialled: string[] = [];
    await using listeners = new DestinationListeners({
      datagrams,
      dial: (to, port) => {
        dialled.push(`${to.dial.host}:${port}`);
        return to.label === 'stays' ? silent() : dial(to, port);
      },
      listen: async ({ address, port, dial: open }) => {
        const server = createServer((socket) => open().pipe(socket)).listen(port, address);
        await once(server, 'listening');
        return { [Symbol.asyncDispose]: async () => void server.close() };
      },
      onError,
    });
    const stays = placed('stays', '127.64.10.1', [one]);
    await listeners.update(
      [stays, placed('goes', '127.64.10.2', [one]), placed('grows', '127.64.10.3', [one])],
      signal,
    );
    const held = connect(one, '127.64.10.1');
    await once(held, 'connect');
    const moved = { ...stays, destination: { ...stays.destination, dial: { host: 'elsewhere' } } };
    await listeners.update(
      [moved, placed('grows', '127.64.10.3', [one, two]), placed('comes', '127.64.10.4', [two])],
      signal,
    );
    expect(
      listeners.reachable.map(({ destination: { label }, ports }) => [label, ports.map(({ port }) => port)]),
    ).toEqual([
      ['stays', [one]],
      ['grows', [one, two]],
      ['comes', [two]],
    ]);
    expect(held.destroyed).toBe(false);
    held.destroy();
    await expect(text(connect(one, '127.64.10.2'))).rejects.toMatchObject(refused);
    expect(await text(connect(two, '127.64.10.3'))).toBe(`grows:${two}`);
    expect(await text(connect(two, '127.64.10.4'))).toBe(`comes:${two}`);
    const again = connect(one, '127.64.10.1');
    await expect.poll(() => dialled.at(-1)).toBe(`elsewhere:${one}`);
    again.destroy();
  });

  it('leaves out what does not fit into the limit of open files, and keeps that in mind', async () => {
    const [one = 0, two = 0, three = 0] = await freePorts(3);
    let room = 2;
    await using listeners = new DestinationListeners({ dial, listen, datagrams, onError, room: async () => room });
    const places = [
      placed('large', '127.64.11.1', [one, two, three]),
      placed('small', '127.64.11.2', [one, two]),
      placed('late', '127.64.11.3', [one]),
    ];
    await listeners.update(places, signal);
    expect(addressesOf(listeners)).toEqual(['127.64.11.2']);
    expect(listeners.leftOut).toMatchObject([
      { destination: { label: 'large' }, problem: { code: 'listen-failed', what: expect.stringContaining('large') } },
      { destination: { label: 'late' } },
    ]);
    room = 3;
    await listeners.update(places, signal);
    expect(listeners.leftOut).toMatchObject([{ destination: { label: 'late' } }]);
  });

  it('opens again what was closed by its address, at the same one', async () => {
    const [one = 0] = await freePorts(1);
    const places = [placed('prices', '127.64.12.1', [one]), placed('cart', '127.64.12.2', [one])];
    await using listeners = await opened(places);
    await listeners.close(new Set(['127.64.12.1']));
    expect(addressesOf(listeners)).toEqual(['127.64.12.2']);
    await expect(text(connect(one, '127.64.12.1'))).rejects.toMatchObject(refused);
    await listeners.update(places, signal);
    expect(await text(connect(one, '127.64.12.1'))).toBe(`prices:${one}`);
  });

  it('says that a low port needs privileges', async () => {
    const refuse: Listen = () => Promise.reject(Object.assign(new Error('listen EACCES'), { code: 'EACCES' }));
    await expect(opened([placed('prices', '127.64.9.1', [80])], refuse)).rejects.toMatchObject({
      code: 'privileges-needed',
      what: expect.stringContaining('127.64.9.1:80'),
    });
  });
});
