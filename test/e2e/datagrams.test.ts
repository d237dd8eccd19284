/**
 * UDP of Services from the program, in each network mode on the real cluster: an echo, a receiver of statistics that counts
 * what came, and the cluster's own DNS server, asked by real resolvers by UDP and TCP.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apply } from '../apps/files/files.ts';
import { ensurePackages } from '../cluster/packages.ts';
import { asNobody } from '../stage/other-user.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { awaitDeployment, deploymentOf, namespacesOf } from '../stage/workloads.ts';
import { agentImage, openWorld, type World } from '../stage/world.ts';
import { freePort, placeOptions, runCommand, startCommand } from './command-line.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const namespace = 'e2e-datagrams';
const apiServer = 'kubernetes.default.svc.cluster.local';
/** An endpoint outside the session's namespaces, which only pods reach. */
const outside = 'kube-dns.kube-system.svc.cluster.local';
let root: World;
/** What the cluster's DNS says of the API server. */
let apiAddress = '';

/** Echoes datagrams at 9000, counts those at 8125 and what statsd would add up, and tells both by HTTP at 8080. */
const receiver = `
const { createSocket } = require('node:dgram');
const echo = createSocket('udp4').on('message', (payload, { port, address }) => echo.send(payload, port, address)).bind(9000);
const heard = { datagrams: 0, hits: 0 };
createSocket('udp4').on('message', (payload) => {
  heard.datagrams += 1;
  for (const [, count] of String(payload).matchAll(/^hits:(\\d+)\\|c$/gm)) heard.hits += Number(count);
}).bind(8125);
require('node:http').createServer((_, answer) => answer.end(JSON.stringify(heard))).listen(8080);
`;

/** Sends what the arguments say to an address, or to that which a variable holds, and prints the answers' sizes and hashes. */
const echoes = `
const { createHash, randomBytes } = require('node:crypto');
const { once } = require('node:events');
const [host, port, ...sizes] = process.argv.slice(1).map((word) => (word.startsWith('$') ? process.env[word.slice(1)] : word));
(async () => {
  const socket = require('node:dgram').createSocket('udp4');
  socket.connect(Number(port), host);
  await once(socket, 'connect');
  for (const size of sizes.map(Number)) {
    const sent = randomBytes(size);
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(5000) });
    socket.send(sent);
    const [heard] = await answer;
    console.log(size, heard.equals(sent) ? 'whole' : 'other');
  }
  socket.close();
})();
`;

/** Sends so many counters, as a library for statsd does: without waiting for anything. */
const counters = `
const [host, port, count] = process.argv.slice(1).map((word) => (word.startsWith('$') ? process.env[word.slice(1)] : word));
const socket = require('node:dgram').createSocket('udp4');
(async () => {
  for (let sent = 0; sent < Number(count); sent++) {
    await new Promise((resolve, reject) => socket.send('hits:2|c', Number(port), host, (error) => (error ? reject(error) : resolve())));
  }
  socket.close();
})();
`;

/** Asks with a resolver of its own (c-ares), which knows of no hosts file. */
const resolves = `
const dns = require('node:dns').promises;
const [host, port, name] = process.argv.slice(1).map((word) => (word.startsWith('$') ? process.env[word.slice(1)] : word));
(async () => {
  const { address } = await dns.lookup(host, 4);
  const resolver = new dns.Resolver({ timeout: 3000, tries: 2 });
  resolver.setServers([address + ':' + port]);
  console.log((await resolver.resolve4(name)).join());
})();
`;

const slicesSchema = z.object({
  items: z.array(z.object({ endpoints: z.array(z.object({ addresses: z.array(z.string()) })) })),
});

beforeAll(async () => {
  await ensurePackages(['passt', 'util-linux', 'iproute2', 'bind9-dnsutils']);
  root = await openWorld(namespace, async (kubectl) => {
    const select = ['get', 'endpointslices', '-n', 'kube-system', '-l', 'kubernetes.io/service-name=kube-dns'];
    const { items } = slicesSchema.parse(await kubectl.json(select));
    const endpoints = items.flatMap((slice) => slice.endpoints);
    const service = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
    const dnsPorts = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ];
    await apply(kubectl, namespacesOf([namespace]));
    await apply(
      kubectl,
      [
        deploymentOf({
          name: 'client',
          command: ['/bin/sh', '-c', 'exec busybox nc -ll -p 8080 -e /bin/echo'],
          port: 8080,
          container: { ports: [{ containerPort: 8080 }, { containerPort: 5353, protocol: 'UDP' }] },
        }),
        deploymentOf({
          name: 'receiver',
          command: ['/bin/node', '-e', receiver],
          port: 8080,
          container: { image: agentImage },
        }),
        service('echo', { selector: { app: 'receiver' }, ports: [{ name: 'echo', port: 9000, protocol: 'UDP' }] }),
        service('statsd', {
          selector: { app: 'receiver' },
          ports: [
            { name: 'statsd', port: 8125, protocol: 'UDP' },
            { name: 'admin', port: 8126, targetPort: 8080 },
          ],
        }),
        // The cluster's own server, with an address in this namespace.
        service('dns', { ports: dnsPorts }),
        {
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: { name: 'dns-1', labels: { 'kubernetes.io/service-name': 'dns' } },
          addressType: 'IPv4',
          ports: dnsPorts,
          endpoints,
        },
      ],
      namespace,
    );
    await Promise.all(['client', 'receiver'].map((name) => awaitDeployment(kubectl, name, namespace)));
    apiAddress = (
      await kubectl.run(['get', 'service', 'kubernetes', '-n', 'default', '-o', 'jsonpath={.spec.clusterIP}'])
    ).trim();
    const ask = ['exec', '-n', namespace, 'deployment/client', '--', 'timeout', '30', 'wget', '-q', '-O', '-'];
    return { kubectl, namespace, request: (url) => kubectl.run([...ask, url]) };
  });
});
afterAll(() => root?.[Symbol.asyncDispose]());

const heardSchema = z.object({ datagrams: z.number(), hits: z.number() });

describe.each(['hosts', 'namespace', 'env'] as const)('mode %s', (mode) => {
  let world: World;
  let before: Snapshot;
  let bench: Workbench;
  let options: readonly string[];
  /** Names where they work, and the variables that a pod has everywhere. */
  const places = (service: string, port: number, variable = `${port}_UDP`): (readonly [string, string])[] => {
    const prefix = `$${service.toUpperCase()}_PORT_${variable}`;
    const byVariables = [`${prefix}_ADDR`, `${prefix}_PORT`] as const;
    return mode === 'env' ? [byVariables] : [[service, String(port)], byVariables];
  };

  beforeAll(async () => {
    world = mode === 'namespace' ? asNobody(root) : root;
    before = await root.snapshot();
    const local = mode === 'namespace' ? 8080 : await freePort();
    options = [
      '--target',
      'deployment/client',
      '--network',
      mode,
      '--port',
      `8080:${local}`,
      '--external',
      `${outside}:53/udp`,
    ];
    bench = await startWorkbench(world, options);
  });
  afterAll(async () => {
    const code = await bench?.end();
    await root.asBefore(before, world.state);
    if (world !== root) await world[Symbol.asyncDispose]();
    expect(code).not.toBe(null);
  });

  async function run(script: string, ...words: readonly string[]): Promise<string> {
    const { stdout, stderr } = await bench.run([world.node, '-e', script, ...words]);
    expect(stderr).toBe('');
    return stdout.trim();
  }

  it('carries datagrams of all sizes, with answers from the address that was called', async () => {
    for (const place of places('echo', 9000)) {
      expect(await run(echoes, ...place, '0', '1', '1400', '9000', '60000')).toBe(
        '0 whole\n1 whole\n1400 whole\n9000 whole\n60000 whole',
      );
    }
  });

  it('brings statistics to who counts them', async () => {
    const { kubectl } = root.shop;
    const heard = async () => {
      const inside = ['exec', '-n', namespace, 'deployment/receiver', '--', '/bin/node', '-e'];
      const ask = 'fetch("http://127.0.0.1:8080").then((it) => it.text()).then(console.log)';
      return heardSchema.parse(JSON.parse(await kubectl.run([...inside, ask])));
    };
    const earlier = await heard();
    const all = places('statsd', 8125);
    for (const place of all) await run(counters, ...place, '100');
    await expect
      .poll(heard, { timeout: 10_000, interval: 100 })
      .toEqual({ datagrams: earlier.datagrams + 100 * all.length, hits: earlier.hits + 200 * all.length });
  });

  it('answers resolvers by UDP and TCP at one port', async () => {
    for (const [host, port] of places('dns', 53)) expect(await run(resolves, host, port, apiServer)).toBe(apiAddress);
    const at = mode === 'env' ? await run('console.log(process.env.DNS_SERVICE_PORT)') : '53';
    const host = mode === 'env' ? '127.0.0.1' : 'dns';
    for (const by of ['+notcp', '+tcp']) {
      const question = [`@${host}`, '-p', at, '+short', '+tries=2', '+time=5', by, apiServer];
      const { stdout, stderr } = await bench.run(['/usr/bin/dig', ...question]);
      expect({ by, stdout, stderr }).toEqual({ by, stdout: `${apiAddress}\n`, stderr: '' });
    }
  });

  it('reaches an external endpoint by UDP', async () => {
    const prefix = `$${outside.replaceAll(/[-.]/g, '_').toUpperCase()}_SERVICE`;
    const [host, port] = mode === 'env' ? [`${prefix}_HOST`, `${prefix}_PORT`] : [outside, '53'];
    expect(await run(resolves, host, port, apiServer)).toBe(apiAddress);
  });

  it('shows UDP ports as such, and says that none come here', async () => {
    const { stdout } = await runCommand(world, ['status', '--all']);
    for (const shown of [/^ *echo\b.* 9000\/udp/m, /^ *statsd\b.* 8125\/udp/m, /^ *dns\b.* 53\/udp/m]) {
      expect(stdout).toMatch(shown);
    }
    if (mode === 'env') {
      // Joins the session that stands; its words are the same in each mode.
      const connect = startCommand(world, ['connect', ...options, ...placeOptions(world)]);
      await connect.saw(/statsd is .* 8125\/udp at \d+/);
      connect.kill('SIGINT');
      expect((await connect.ended).code).not.toBe(null);
    }
    expect(bench.command.stderr().match(/UDP port 5353 of container client/g)).toHaveLength(1);
  });
});
