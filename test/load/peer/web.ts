/** The servers of what runs on TCP in most systems: HTTP/1.1, HTTP/2 in the clear, TLS and WebSocket. */
import { createServer as createHttp1, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import { createServer as createTls, type Server as TlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import { chunksOf, newHash } from './random.ts';

/** Chunks that are sent for a `?seed=S&length=N`. */
function dataOf(url: string | undefined): Iterable<Buffer> {
  const { searchParams } = new URL(url ?? '', 'http://any');
  return chunksOf(searchParams.get('seed') ?? '', Number(searchParams.get('length') ?? 0));
}

/**
 * `GET /page/N` answers N with a length; `GET /data?seed=S&length=N` answers chunked; `PUT` answers the digest of what came,
 * and in the header `transfer` how it came.
 */
export function createHttp1Server(): Server {
  return createHttp1(async (request, response) => {
    if (request.method === 'PUT') {
      const digest = await digestOfBody(request);
      response.setHeader(
        'transfer',
        request.headers['transfer-encoding'] ?? `length ${request.headers['content-length']}`,
      );
      response.end(digest);
    } else if (request.url?.startsWith('/data')) {
      for (const chunk of dataOf(request.url)) {
        if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve));
      }
      response.end();
    } else {
      const text = request.url?.replace('/page/', '') ?? '';
      response.setHeader('content-length', text.length);
      response.end(text);
    }
  });
}

async function digestOfBody(body: AsyncIterable<Buffer>): Promise<string> {
  const hash = newHash();
  for await (const chunk of body) hash.update(chunk);
  return hash.digest('hex');
}

/** The same requests as `createHttp1Server`, in HTTP/2 without TLS. */
export function createHttp2Server(): Http2Server {
  const server = createHttp2();
  server.on('stream', async (stream, headers) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200 });
    if (headers[':method'] === 'PUT') {
      stream.end(await digestOfBody(stream));
      return;
    }
    for (const chunk of dataOf(headers[':path'])) {
      if (!stream.write(chunk)) await new Promise((resolve) => stream.once('drain', resolve));
    }
    stream.end();
  });
  return server;
}

/** Says which name and protocol the client asked for. */
export function createTlsServer({ key, certificate }: { key: string; certificate: string }): TlsServer {
  const server = createTls({ key, cert: certificate, ALPNProtocols: ['load/1'] }, (socket) => {
    socket.on('error', () => {});
    socket.end(
      JSON.stringify({ name: socket.servername, protocol: socket.alpnProtocol, version: socket.getProtocol() }),
    );
  });
  server.on('tlsClientError', () => {});
  return server;
}

/** Gives back each message; the text `close N REASON` closes with that code. */
export function createWebSocketServer(): Server {
  const http = createHttp1((_request: IncomingMessage, response) => response.writeHead(426).end());
  const server = new WebSocketServer({ server: http, handleProtocols: (offered) => [...offered][0] ?? false });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => {
      const [command, code, ...reason] = isBinary ? [] : data.toString().split(' ');
      if (command === 'close') socket.close(Number(code), reason.join(' '));
      else socket.send(data, { binary: isBinary });
    });
  });
  return http;
}
