import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Destination } from './destinations.ts';
import { managedIdentityDestination, withManagedIdentity } from './managed-identity.ts';

/** IMDS as Azure documents it. */
let metadata: Server;
let port = 0;
const asked: string[] = [];
beforeEach(async () => {
  asked.length = 0;
  metadata = createServer((question, answer) => {
    const url = new URL(question.url ?? '/', 'http://fake');
    asked.push(`${question.method} ${question.url} ${question.headers.host}`);
    const known = ['2018-02-01', '2019-08-15', '2021-02-01'].includes(url.searchParams.get('api-version') ?? '');
    const isRight =
      question.headers.metadata === 'true' &&
      question.headers['x-forwarded-for'] === undefined &&
      known &&
      url.searchParams.has('resource');
    answer.writeHead(isRight ? 200 : 400, { 'Content-Type': 'application/json' });
    const client = url.searchParams.get('client_id');
    answer.end(
      JSON.stringify(
        isRight ? { access_token: 'eyJ', token_type: 'Bearer', client_id: client } : { error: 'invalid_request' },
      ),
    );
  });
  await once(metadata.listen(0, '127.0.0.1'), 'listening');
  const address = metadata.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterEach(async () => {
  metadata.closeAllConnections();
  metadata.close();
  await once(metadata, 'close');
});

const dial = withManagedIdentity(() => connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
const ask = async (path: string, headers: IncomingHttpHeaders = {}, method = 'GET') => {
  const stream = dial(managedIdentityDestination, 80);
  const sent = request({ method, path, headers, createConnection: () => stream });
  sent.end();
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, body: JSON.parse(await text(response)) };
};
const token = '/metadata/identity/oauth2/token';

it('asks the metadata service in its own words', async () => {
  const headers = { secret: 'placeholder', 'x-forwarded-for': '10.0.0.1' };
  const { status, body } = await ask(
    `${token}?resource=https://vault.azure.net&api-version=2017-09-01&clientid=abc`,
    headers,
  );
  expect(status).toBe(200);
  expect(body).toEqual({ access_token: 'eyJ', token_type: 'Bearer', client_id: 'abc' });
  expect(asked).toEqual([
    `GET ${token}?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net&client_id=abc 169.254.169.254`,
  ]);
});

it('hands on what the service refuses, and asks for nothing but tokens', async () => {
  expect(await ask(token)).toEqual({ status: 400, body: { error: 'invalid_request' } });
  expect(await ask('/metadata/instance?api-version=2021-02-01')).toMatchObject({ status: 404 });
  expect(await ask(`${token}?resource=x`, {}, 'POST')).toMatchObject({ status: 404 });
  expect(asked).toHaveLength(1);
});

it('answers several requests of one connection, also if its sending has ended', async () => {
  const stream = dial(managedIdentityDestination, 80);
  const one = `GET ${token}?resource=x HTTP/1.1\r\nHost: a\r\n`;
  stream.end(`${one}\r\n${one}Connection: close\r\n\r\n`);
  expect((await text(stream)).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
});

it('says so if there is no such service', async () => {
  const broken = withManagedIdentity(() => {
    const stream = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
    setImmediate(() => stream.destroy(new Error('no route to host')));
    return stream;
  });
  const sent = request({ path: `${token}?resource=x`, createConnection: () => broken(managedIdentityDestination, 80) });
  sent.end();
  const [response] = await once(sent, 'response');
  expect(response.statusCode).toBe(502);
  expect(await text(response)).toContain('no route to host');
});

it('leaves other destinations alone', async () => {
  const other = { key: 'shop/prices' } as Destination;
  const stream = new PassThrough();
  expect(withManagedIdentity(() => stream)(other, 80)).toBe(stream);
});
