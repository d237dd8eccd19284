/** Connects to a program of this computer, whether it listens on IPv4 or on IPv6 only. */
import { connect, type Socket } from 'node:net';

/** `localhost`, in the order in which it is tried. */
export const loopbacks = ['127.0.0.1', '::1'] as const;

/** Undefined if nothing listens there. The socket keeps its half-closed states. */
export async function dialLoopback(port: number): Promise<Socket | undefined> {
  for (const host of loopbacks) {
    const socket = await dialled(host, port);
    if (socket) return socket;
  }
  return undefined;
}

function dialled(host: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    socket.once('connect', () => {
      socket.off('error', refused);
      resolve(socket);
    });
    const refused = () => resolve(undefined);
    socket.once('error', refused);
  });
}
