/** The API server behind something that lets no SPDY pass, as some load balancers do: plain HTTP on loopback, with the user's rights. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

const base64 = z.string().transform((text) => Buffer.from(text, 'base64'));
const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ server: z.url(), 'certificate-authority-data': base64 }) })]),
  users: z.tuple([z.object({ user: z.object({ 'client-certificate-data': base64, 'client-key-data': base64 }) })]),
});

export interface WithoutSpdy extends AsyncDisposable {
  /** Leads through it. */
  readonly kubeconfig: string;
  /** The port-forwards that were asked for. */
  readonly portForwards: { refused: number; websockets: number };
}

/** Starts it in front of the API server of a kubeconfig. */
export async function withoutSpdy(kubeconfig: string): Promise<WithoutSpdy> {
  const given = kubeconfigSchema.parse(parse(readFileSync(kubeconfig, 'utf8')));
  const { server: api, 'certificate-authority-data': ca } = given.clusters[0].cluster;
  const { 'client-certificate-data': cert, 'client-key-data': key } = given.users[0].user;
  const agent = new Agent({ ca, cert, key, keepAlive: true });
  const ask = ({ method, url, headers }: IncomingMessage) =>
    httpsRequest(new URL(url ?? '/', api), { method, headers: { ...headers, host: new URL(api).host }, agent });

  const portForwards = { refused: 0, websockets: 0 };
  const server = createServer((request, response) => {
    const asked = ask(request);
    asked.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', () => response.destroy()).pipe(response);
    });
    asked.once('error', () => response.destroy());
    response.once('close', () => asked.destroy());
    request.pipe(asked);
  });
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))));
  server.on('upgrade', (request, socket, first) => {
    socket.on('error', () => {});
    if (request.headers.upgrade !== 'websocket') {
      portForwards.refused += 1;
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    if (request.url?.includes('/portforward')) portForwards.websockets += 1;
    const asked = ask(request);
    asked.once('error', () => socket.destroy());
    asked.once('upgrade', (answer, far, head) => {
      const lines = answer.rawHeaders.flatMap((text, index, all) => (index % 2 ? [] : [`${text}: ${all[index + 1]}`]));
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      socket.write(head);
      far.write(first);
      far.on('error', () => socket.destroy()).once('close', () => socket.destroy());
      socket.once('close', () => far.destroy());
      far.pipe(socket).pipe(far);
    });
    asked.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-without-spdy-'));
  const path = join(folder, 'kubeconfig');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(path, stringify(throughIt(address)), { mode: 0o600 });
  return {
    kubeconfig: path,
    portForwards,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      agent.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const throughIt = (server: string) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'through', cluster: { server } }],
  users: [{ name: 'through', user: {} }],
  contexts: [{ name: 'through', context: { cluster: 'through', user: 'through' } }],
  'current-context': 'through',
});
