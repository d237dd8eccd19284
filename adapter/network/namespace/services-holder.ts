/** Acts in the namespace of the Services: makes the listeners, which the daemon then has. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { bindDatagrams } from '../../tunnel/datagram-listener.ts';
import type { HolderArgument, HolderRequest } from './holder-protocol.ts';
import type { Holder, Outcome } from './holder-role.ts';
import { hasIPv6, serviceAddresses, servicesIPv6, servicesLinks } from './routes.ts';
import { mustRun } from './tools.ts';

const never = new AbortController().signal;

export class ServicesHolder implements Holder {
  readonly #argument: HolderArgument;

  constructor(argument: HolderArgument) {
    this.#argument = argument;
  }

  async act(request: HolderRequest): Promise<Outcome> {
    switch (request.kind) {
      case 'setUp':
        await this.#ip(servicesLinks());
        return {};
      case 'route':
        await this.#ip(servicesIPv6);
        return {};
      case 'listen':
        return { handle: await listen(request.port) };
      case 'own':
        await this.#ip(serviceAddresses(request.addresses));
        return {};
      case 'listenDatagrams':
        return { handle: await bindDatagrams(request.address, request.port, never) };
      default:
        throw new Error(`not for the holder of the services: ${request.kind}`);
    }
  }

  end(): void {}

  #ip(input: string): Promise<void> {
    return mustRun(this.#argument.tools.ip, ['-batch', '-'], { input });
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer(refuse);
  server.listen({ host: hasIPv6() ? '::' : '0.0.0.0', port });
  await once(server, 'listening');
  return server;
}

/** While a server is handed on, nobody serves what arrives; a moment earlier it would have been refused, too. */
export function refuse(socket: { resetAndDestroy(): unknown }): void {
  socket.resetAndDestroy();
}
