/**
 * Tokens of an Azure managed identity for the program, as Bridge to Kubernetes gave them: the program asks a name of ours by
 * the protocol that its library knows from MSI_ENDPOINT, and a pod asks the node's metadata service (IMDS) by its own.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import type { Destination } from './destinations.ts';
import type { DialDestination } from './reachable-destination.ts';

/** Where IMDS is on every node of Azure. */
const metadataAddress = '169.254.169.254';
const name = 'managedidentityforbridgetokubernetes';
const path = '/metadata/identity/oauth2/token';
/** A version of IMDS's own; libraries ask for those of MSI_ENDPOINT, which it does not know. */
const version = '2018-02-01';
/** How the parameters of MSI_ENDPOINT are called by IMDS. */
const parameters: Readonly<Record<string, string>> = {
  resource: 'resource',
  clientid: 'client_id',
  client_id: 'client_id',
  object_id: 'object_id',
  principal_id: 'object_id',
  mi_res_id: 'msi_res_id',
  msi_res_id: 'msi_res_id',
};

/** What the name leads to; only for sessions that ask for it. */
export const managedIdentityDestination: Destination = {
  key: `external:${name}`,
  label: name,
  namespace: '',
  hostNames: [name],
  shortNames: [name],
  ports: [80],
  portNames: {},
  dial: { host: metadataAddress },
};

/** A way to dial destinations on which this one's requests are rewritten; all others are dialled as they are. */
export function withManagedIdentity(dial: DialDestination): DialDestination {
  return (destination, port) => {
    if (destination.key !== managedIdentityDestination.key) return dial(destination, port);
    return rewritten(() => dial(destination, port));
  };
}

/** A connection that answers requests for tokens out of connections to IMDS, one for each. */
function rewritten(dial: () => Duplex): Duplex {
  const [outer, inner] = duplexPair();
  const server: Server & { httpAllowHalfOpen?: boolean } = createServer((question, answer) =>
    forward(question, answer, dial),
  );
  // A program may end its sending before it has the answer.
  server.httpAllowHalfOpen = true;
  inner.on('error', () => {});
  outer.once('close', () => inner.destroy());
  inner.once('close', () => outer.destroy());
  server.emit('connection', inner);
  return outer;
}

function forward(question: IncomingMessage, answer: ServerResponse, dial: () => Duplex): void {
  question.resume();
  const url = new URL(question.url ?? '/', `http://${name}`);
  // Nothing else of the node's metadata is anybody's business here.
  if (question.method !== 'GET' || url.pathname !== path) {
    refuse(answer, 404, `Only GET ${path} is answered here.`);
    return;
  }
  const query = new URLSearchParams({ 'api-version': version });
  for (const [key, value] of url.searchParams) {
    const known = parameters[key.toLowerCase()];
    if (known !== undefined) query.set(known, value);
  }
  // None of the program's headers: IMDS refuses what looks like a proxy's.
  const headers = { Host: metadataAddress, Metadata: 'true', Accept: 'application/json', Connection: 'close' };
  const asked = request({ path: `${path}?${query}`, headers, createConnection: dial });
  asked.once('error', (error) => refuse(answer, 502, `The metadata service does not answer: ${error.message}`));
  asked.once('response', (response) => {
    const type = response.headers['content-type'];
    answer.writeHead(response.statusCode ?? 502, type === undefined ? {} : { 'Content-Type': type });
    response.once('error', () => answer.destroy());
    response.pipe(answer);
  });
  answer.once('close', () => asked.destroy());
  asked.end();
}

function refuse(answer: ServerResponse, status: number, message: string): void {
  if (answer.headersSent) answer.destroy();
  else answer.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: message }));
}
