/** Tests only: an API server of a few lines that keeps what it was asked. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { silentLog } from '../diagnostics/log.ts';
import { Api } from './api.ts';
import type { Cluster } from './cluster.ts';

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** Answers with an object (200), a number (a Status object of that code) or writes the answer itself. */
export type FakeAnswer = object | number | ((response: ServerResponse) => void);

export class FakeApiServer implements AsyncDisposable {
  readonly requests: FakeRequest[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(answer: (request: FakeRequest) => FakeAnswer): Promise<FakeApiServer> {
    const server = createServer(async (incoming, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const url = new URL(incoming.url ?? '/', 'http://fake');
      const text = Buffer.concat(chunks).toString();
      const request = {
        method: incoming.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        body: text ? JSON.parse(text) : undefined,
      };
      fake.requests.push(request);
      const given = answer(request);
      if (typeof given === 'function') return given(response);
      const status = typeof given === 'number' ? given : 200;
      const body =
        typeof given === 'number' ? { kind: 'Status', reason: `Reason${given}`, message: `message ${given}` } : given;
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
    const fake = new FakeApiServer(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return fake;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the fake API server does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  /** A cluster whose API server is this one. */
  cluster(): Cluster {
    const api = new Api(this.url, { apply: async () => 0, refresh: () => false }, silentLog);
    return {
      context: 'fake',
      server: this.url,
      namespace: 'shop',
      user: 'anna',
      version: 'v1.35.4',
      log: silentLog,
      api,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
