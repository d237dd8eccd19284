/** Tests only: the cluster's end of a flow of datagrams, and a program that asks by UDP. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { Duplex } from 'node:stream';
import { DatagramReader, frameDatagram } from '../../agent/datagrams.ts';

/** Answers each datagram by where it went to and what it said: `prices:53 hello`. */
export function echo(destination: { readonly dial: { readonly host: string } }, port: number): Duplex {
  const reader = new DatagramReader((payload) =>
    stream.push(frameDatagram(Buffer.concat([Buffer.from(`${destination.dial.host}:${port} `), payload]))),
  );
  const stream: Duplex = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      reader.write(chunk);
      done();
    },
  });
  return stream;
}

/** A connected UDP socket: it takes datagrams from that address and port alone. */
export async function connected(port: number, address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.connect(port, address);
  await once(socket, 'connect');
  return socket;
}

/** Sends one datagram and gives the answer; rejects with ECONNREFUSED where the port is closed. */
export async function ask(port: number, address: string, text: string): Promise<string> {
  const socket = await connected(port, address);
  try {
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(5_000) });
    socket.send(text);
    return String((await answered)[0]);
  } finally {
    socket.close();
  }
}
