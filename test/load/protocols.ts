/** Real programs that talk to each other through the tunnel, and the finer points of TCP. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { postgresqlFiles } from '../cluster/images/postgresql.ts';
import { imageCache } from '../stage/cache.ts';
import { type Check, eachWay, shown, type Run as Wanted } from './checks.ts';
import { inImage, redisPrograms } from './images.ts';
import { startPostgresql, startRedis } from './local-servers.ts';
import { SeededBytes, SeededNumbers } from './peer/random.ts';
import { type Run, runHere } from './programs.ts';
import type { Direction } from './stage.ts';
import { caller, otherPorts, server, target } from './workloads.ts';

export const protocolChecks: readonly Check[] = [
  ...eachWay('protocols', 'the server speaks first', async (direction) => {
    const { connections } = await direction.ask({ ask: 'speaks-first', connections: 50 }, 'speaker');
    return `${connections} greetings heard before a word was said`;
  }),
  ...eachWay('protocols', 'half-close and reset', async (direction, { seed }) => {
    await direction.ask({ ask: 'ends', seed: `${seed}/${direction.name}` }, 'tasks');
    return 'ends and resets of either side are seen by the other; data comes after an end of the other direction';
  }),
  ...eachWay('protocols', 'HTTP/1.1', async (direction, { seed }) => {
    const found = await direction.ask({ ask: 'http1', seed }, 'http1');
    return `${found.pipelined} pipelined requests, ${found['on kept connections']} on 4 kept connections, chunked in both directions, 100 Continue`;
  }),
  ...eachWay('protocols', 'HTTP/2', async (direction, { seed, size }) => {
    const bytes = 50_000_000 * size.protocols;
    const { streams } = await direction.ask({ ask: 'http2', seed, bytes }, 'http2');
    return `${streams} streams of one connection, an upload and a download of ${shown(bytes / 1e6)} MB beside small ones`;
  }),
  ...eachWay('protocols', 'TLS', async (direction) => {
    const { certificate } = direction;
    const name = direction.name === 'outbound' ? server : target;
    const { version } = await direction.ask({ ask: 'tls', name, certificate }, 'tls');
    return `${version}; the client sees the far server's own certificate, the server the client's SNI and ALPN`;
  }),
  ...eachWay('protocols', 'WebSocket (ws)', async (direction, { seed }) => {
    const { messages, bytes } = await direction.ask({ ask: 'websocket', seed }, 'websocket');
    return `${messages} echoed, ${shown(Number(bytes) / 1e6)} MB, ping, subprotocol, close code`;
  }),
  ...eachWay('protocols', 'gRPC health (grpc-go)', lookAtGrpc),
  ...eachWay('protocols', 'Redis (redis-benchmark)', lookAtRedis),
  ...eachWay('protocols', 'PostgreSQL (psql, pgbench)', lookAtPostgresql),
  { part: 'protocols', name: "the kubelet's probes (gRPC, HTTP)", direction: 'inbound', run: lookAtProbes },
];

async function lookAtGrpc(direction: Direction, { stage, size }: Wanted): Promise<string> {
  const calls = `${4000 * size.protocols}`;
  const here = stage.grpcHealth;
  const output =
    direction.name === 'outbound'
      ? await runHere([here, 'check', `grpc:${otherPorts.grpc}`, calls])
      : await stage.inPod(caller)([inImage.grpcHealth, 'check', `${target}:${otherPorts.grpc}`, calls]);
  const found = z.object({ calls: z.number(), 'states seen': z.number() }).parse(JSON.parse(output));
  return `${shown(found.calls)} calls, ${found['states seen']} states of watched streams, NOT_FOUND as it is`;
}

async function lookAtRedis(direction: Direction, { stage, size, seed }: Wanted): Promise<string> {
  if (direction.name === 'outbound') return askRedis(runHere, redisPrograms, 'redis', size.protocols, seed);
  await using _ = await startRedis(stage.local.redis);
  const programs = { client: '/bin/redis-cli', benchmark: '/bin/redis-benchmark' };
  // The server ends with this function, not before its answer.
  return await askRedis(stage.inPod(caller), programs, target, size.protocols, seed);
}

/** What a benchmark does; `lists` makes its list by LPUSH first, and each answer has 300 elements. */
const redisTests = { small: ['set', 'get', 'incr', 'lpush', 'mset'], lists: ['lrange_300'] };
const listRows = 2;

async function askRedis(
  run: Run,
  programs: { readonly client: string; readonly benchmark: string },
  host: string,
  factor: number,
  seed: string,
): Promise<string> {
  const at = ['-h', host, '-p', `${otherPorts.redis}`];
  const benchmark = async (tests: readonly string[], requests: number, rows: number) => {
    const load = ['-n', `${requests}`, '-c', '50', '-P', '16', '-d', '512', '-t', tests.join(), '--csv'];
    const csv = await run([programs.benchmark, ...at, ...load]);
    // Its exit code says nothing of a test that was cut short.
    const rates = csv.split('\n').filter((line) => /^"[A-Z]+.*","[\d.]+"/.test(line));
    if (rates.length !== rows) throw new Error(`redis-benchmark said:\n${csv}`);
    return requests * rows;
  };
  const small = await benchmark(redisTests.small, 100_000 * factor, redisTests.small.length);
  const lists = await benchmark(redisTests.lists, 1000 * factor, listRows);
  const keys = 20_000 * factor;
  const answer = await run([programs.client, ...at, '--pipe'], { input: setCommands(seed, keys) });
  if (!answer.includes(`errors: 0, replies: ${keys}`)) throw new Error(`redis-cli --pipe said:\n${answer}`);
  const last = (await run([programs.client, ...at, 'GET', `key:${keys - 1}`])).trim();
  const wanted = [...values(seed, keys)].at(-1);
  if (last !== wanted) throw new Error(`the last value is ${last}, not ${wanted}`);
  return `${shown(small + lists)} requests by 50 clients; ${shown(keys)} commands by one, no error`;
}

function* values(seed: string, count: number): Generator<string> {
  const bytes = new SeededBytes(seed);
  const numbers = new SeededNumbers(seed);
  for (let index = 0; index < count; index++) yield bytes.next(numbers.between(1, 200)).toString('hex');
}

/** SET commands in Redis' own protocol (RESP). */
function setCommands(seed: string, count: number): Buffer {
  const commands = [...values(seed, count)].map((value, index) =>
    ['*3', ...['SET', `key:${index}`, value].flatMap((word) => [`$${word.length}`, word]), ''].join('\r\n'),
  );
  return Buffer.from(commands.join(''));
}

async function lookAtPostgresql(direction: Direction, { stage, size, seed }: Wanted): Promise<string> {
  const files = await postgresqlFiles(imageCache());
  if (direction.name === 'outbound') {
    const programs = { psql: files.psql, pgbench: join(files.server, files.programs, 'pgbench') };
    return askPostgresql(runHere, programs, 'postgres', size.protocols, seed);
  }
  await using _ = await startPostgresql(files, stage.local.postgres);
  const programs = { psql: '/bin/psql', pgbench: '/bin/pgbench' };
  return await askPostgresql(stage.inPod('postgres'), programs, target, size.protocols, seed);
}

const pgbenchClients = 8;

async function askPostgresql(
  run: Run,
  { psql, pgbench }: { readonly psql: string; readonly pgbench: string },
  host: string,
  factor: number,
  seed: string,
): Promise<string> {
  const at = ['-h', host, '-p', `${otherPorts.postgres}`, '-U', 'load'];
  const database = 'postgres';
  const sql = async (text: string, input?: Buffer) =>
    (
      await run([psql, ...at, '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text], {
        ...(input && { input }),
      })
    ).trim();
  await run([pgbench, ...at, '-i', '-q', '-s', '1', database]);
  const transactions = Math.round(1000 * factor);
  await run([pgbench, ...at, '-n', '-c', `${pgbenchClients}`, '-j', '2', '-t', `${transactions}`, database]);
  const sums = 'select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history)';
  const books = await sql(`${sums}, (select count(*) from pgbench_history)`);
  const all = pgbenchClients * transactions;
  if (books !== `t|${all}`) throw new Error(`the accounts of pgbench say ${books}`);
  const lines = [...values(seed, 100_000 * factor)];
  const copied = Buffer.from(`${lines.join('\n')}\n`);
  await sql('create table lines (number serial, line text)');
  await sql('copy lines (line) from stdin', copied);
  const back = await sql('copy (select line from lines order by number) to stdout');
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  if (digest(back) !== digest(lines.join('\n'))) throw new Error('COPY gave back other lines');
  return `${shown(all)} transactions by ${pgbenchClients} clients, the books are even; COPY of ${shown(copied.length / 1e6)} MB in and out`;
}

/** A sidecar's probes lead to ports of the replaced container, and so to the server here. */
async function lookAtProbes({ stage }: Wanted): Promise<string> {
  const { grpc } = stage;
  if (grpc === undefined) throw new Error('there is no gRPC server here');
  const from = grpc.lines.length;
  for (const probe of ['grpc', 'http']) {
    await grpc.line((line) => line === JSON.stringify({ probe }), from);
  }
  const { namespace, kubectl } = stage.world.shop;
  await kubectl.run(['wait', '-n', namespace, 'pod', '-l', `app=${target}`, '--for=condition=Ready', '--timeout=60s']);
  await stage.gauges.sameAgent();
  return "a sidecar's readiness and liveness probes are answered by the servers here, and its pod is ready";
}
