/** The test cluster itself: kill it, halve it, run two, cut its road. It uses clusters of its own, never the shared one. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type ClusterStatus, clusterStatus, ensureCluster, stopCluster, type TestCluster } from '../cluster/cluster.ts';
import { clusterFolder } from '../cluster/folders.ts';

const names = { one: 'lifecycle-one', two: 'lifecycle-two' };
const run = promisify(execFile);

let one: TestCluster;
let two: TestCluster;

beforeAll(async () => {
  [one, two] = await Promise.all([ensureCluster({ name: names.one }), ensureCluster({ name: names.two })]);
});

afterAll(async () => {
  await Promise.all(Object.values(names).map((name) => stopCluster(name, { purge: true })));
});

describe('two clusters side by side', () => {
  it('have their own API servers and contents', async () => {
    expect(one.server).not.toBe(two.server);
    await kubectl(one, 'create', 'configmap', 'only-in-one');
    expect(await kubectl(one, 'get', 'configmap', '--output', 'name')).toContain('configmap/only-in-one');
    expect(await kubectl(two, 'get', 'configmap', '--output', 'name')).not.toContain('only-in-one');
  });

  it('are found again by a second start', async () => {
    const before = detailOf(await one.status());
    const again = await ensureCluster({ name: names.one });
    expect(detailOf(await again.status()).pid).toBe(before.pid);
    expect(again.server).toBe(one.server);
  });
});

describe('the road', () => {
  it('lets nothing pass while it is cut, and all of it afterwards', async () => {
    await using connection = await connectTo(one);
    await connection.get('/readyz');
    await one.cut();
    let isAnswered = false;
    const late = connection.get('/readyz').finally(() => {
      isAnswered = true;
    });
    // What would long have been answered: the same twenty times by the cluster beside it.
    await using other = await connectTo(two);
    for (let i = 0; i < 20; i++) await other.get('/readyz');
    expect(detailOf(await one.status()).road.state).toBe('frozen');
    expect(isAnswered).toBe(false);
    await one.restore();
    expect(await late).toBe('ok');
    expect(connection.opened()).toBe(1);
  });

  it('is restored by itself after a cut for a time', async () => {
    await using connection = await connectTo(one);
    await one.cut(300);
    expect(await connection.get('/readyz')).toBe('ok');
    expect(detailOf(await one.status()).road).toMatchObject({ state: 'open', restoredIn: 0 });
  });

  it('resets present and new connections if it is told to', async () => {
    await using connection = await connectTo(one);
    await connection.get('/readyz');
    await one.cut(0, { reset: true });
    try {
      // Which of them the first one meets depends on whether the client has seen the reset before it asks.
      const reset = /ECONNRESET|socket hang up|disconnected/;
      await expect(connection.get('/readyz')).rejects.toThrow(reset);
      await expect(connection.get('/readyz')).rejects.toThrow(reset);
    } finally {
      await one.restore();
    }
    expect(await connection.get('/readyz')).toBe('ok');
  });

  it('is as long as it is told to be, on connections that are open already too', async () => {
    await using connection = await connectTo(one);
    await connection.get('/readyz');
    await one.setRtt(200);
    const began = performance.now();
    await connection.get('/readyz');
    // No answer can be quicker than the road is long.
    expect(performance.now() - began).toBeGreaterThanOrEqual(200);
    expect(connection.opened()).toBe(1);
    await one.setRtt(0);
    expect(detailOf(await one.status()).road.roundTripTime).toBe(0);
  });
});

describe('a cluster that has lost a part', () => {
  it('notices a component that hangs', async () => {
    const pid = componentPid(await two.status(), 'kube-scheduler');
    process.kill(pid, 'SIGSTOP');
    try {
      expect(reasonsOf(await two.status())).toEqual([expect.stringContaining('kube-scheduler')]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until(async () => (await two.status()).state === 'running');
  });

  it('has a killed component again only when it is told to start it', async () => {
    for (const name of ['kube-apiserver', 'etcd']) {
      await expect(two.restart(name)).rejects.toThrow(/only a component that has ended/);
      const pid = componentPid(await two.status(), name);
      process.kill(pid, 'SIGKILL');
      await until(async () =>
        reasonsOf(await two.status())
          .join()
          .includes(`${name} ended by signal SIGKILL`),
      );
      await two.restart(name);
      await until(async () => (await two.status()).state === 'running');
      expect(componentPid(await two.status(), name)).not.toBe(pid);
      expect(await kubectl(two, 'get', 'nodes', '--no-headers')).toMatch(/^node\s+Ready/);
    }
  });

  it('notices components that were killed, and is replaced as a whole', async () => {
    const before = await two.status();
    const killed = ['kube-apiserver', 'containerd', 'kubelet'];
    for (const name of killed) process.kill(componentPid(before, name), 'SIGKILL');
    await until(async () => {
      const reasons = reasonsOf(await two.status()).join('\n');
      return killed.every((name) => reasons.includes(`${name} ended by signal SIGKILL`));
    });
    two = await ensureCluster({ name: names.two });
    const after = detailOf(await two.status());
    expect(after.pid).not.toBe(detailOf(before).pid);
    expect(await kubectl(two, 'get', 'nodes', '--no-headers')).toMatch(/^node\s+Ready/);
  });
});

describe('one kill', () => {
  it('ends everything, pods included, and the next start is an empty cluster with the images of before', async () => {
    await kubectl(one, 'run', 'pause', '--image=kubernetes-local.test/pause:1', '--image-pull-policy=Never');
    await kubectl(one, 'wait', '--for=condition=Ready', 'pod/pause', '--timeout=60s');
    const { pid, nodePid } = detailOf(await one.status());
    const namespace = readlinkSync(`/proc/${nodePid}/ns/mnt`);
    expect(processesIn(namespace)).toEqual(expect.arrayContaining(['etcd', 'containerd', 'kubelet']));
    const podNamespaces = descendants(nodePid).map((child) => readlinkSync(`/proc/${child}/ns/pid`));
    expect(new Set(podNamespaces).size).toBeGreaterThan(1);

    process.kill(pid, 'SIGKILL');
    await until(async () => podNamespaces.every((pods) => processesIn(pods, 'pid').length === 0));
    await until(async () => processesIn(namespace).length === 0);
    expect(await clusterStatus(names.one)).toEqual({ state: 'stopped' });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(clusterFolder(names.one));

    const again = await ensureCluster({ name: names.one });
    expect(again.server).toBe(one.server);
    expect(await kubectl(again, 'get', 'pods', '--all-namespaces', '--output', 'name')).toBe('');
    await kubectl(again, 'run', 'pause', '--image=kubernetes-local.test/pause:1', '--image-pull-policy=Never');
    await kubectl(again, 'wait', '--for=condition=Ready', 'pod/pause', '--timeout=60s');
  });
});

describe('the end', () => {
  it('leaves no process, control group or socket', async () => {
    const { nodePid } = detailOf(await one.status());
    const namespace = readlinkSync(`/proc/${nodePid}/ns/mnt`);
    expect(controlGroups(names.one)).not.toEqual([]);
    await stopCluster(names.one);
    expect(processesIn(namespace)).toEqual([]);
    expect(controlGroups(names.one)).toEqual([]);
    expect(existsSync(join(clusterFolder(names.one), 'control.sock'))).toBe(false);
    await stopCluster(names.one, { purge: true });
    expect(existsSync(clusterFolder(names.one))).toBe(false);
  });
});

async function kubectl(cluster: TestCluster, ...args: string[]): Promise<string> {
  const [program, ...first] = cluster.kubectl;
  return (await run(program, [...first, ...args])).stdout;
}

function detailOf(status: ClusterStatus) {
  if (status.state === 'stopped') throw new Error('the cluster is stopped');
  return status.detail;
}

function reasonsOf(status: ClusterStatus): readonly string[] {
  return status.state === 'half-dead' ? status.reasons : [];
}

function componentPid(status: ClusterStatus, name: string): number {
  const pid = detailOf(status).node.components.find((component) => component.name === name)?.outsidePid;
  if (!pid) throw new Error(`${name} does not run`);
  return pid;
}

/** Repeats until true; the test's own time limit ends it. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** The names of the processes in a namespace; those that end while they are looked at are left out. */
function processesIn(namespace: string, kind: 'mnt' | 'pid' = 'mnt'): string[] {
  return processes().flatMap((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/${kind}`) === namespace
        ? [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()]
        : [];
    } catch {
      return [];
    }
  });
}

function descendants(ancestor: number): number[] {
  const children = readFileSync(`/proc/${ancestor}/task/${ancestor}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);
  const tasks = readdirSync(`/proc/${ancestor}/task`).filter((task) => Number(task) !== ancestor);
  for (const task of tasks) {
    const more = readFileSync(`/proc/${ancestor}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    children.push(...more);
  }
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function controlGroups(name: string): string[] {
  const root = '/sys/fs/cgroup';
  return [root, ...readdirSync(root).map((entry) => join(root, entry))]
    .map((parent) => join(parent, `kubernetes-local-${name}`))
    .filter((path) => existsSync(path));
}

const kubeconfig = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ 'certificate-authority-data': z.base64() }) })]),
  users: z.tuple([
    z.object({ user: z.object({ 'client-certificate-data': z.base64(), 'client-key-data': z.base64() }) }),
  ]),
});

/** One kept-alive connection to an API server, over the road. */
async function connectTo(cluster: TestCluster) {
  const config = kubeconfig.parse(parse(await readFile(cluster.kubeconfig, 'utf8')));
  const { user } = config.users[0];
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64'),
    cert: Buffer.from(user['client-certificate-data'], 'base64'),
    key: Buffer.from(user['client-key-data'], 'base64'),
  });
  const sockets = new Set<unknown>();
  return {
    /** The body of the answer. */
    get(path: string): Promise<string> {
      const answer = Promise.withResolvers<string>();
      const sent = request(`${cluster.server}${path}`, { agent }, (response) => {
        response
          .setEncoding('utf8')
          .on('error', answer.reject)
          .toArray()
          .then((parts) => answer.resolve(parts.join('')));
      });
      sent
        .on('socket', (socket) => sockets.add(socket))
        .on('error', answer.reject)
        .end();
      return answer.promise;
    },
    /** How many connections were opened so far. */
    opened: () => sockets.size,
    async [Symbol.asyncDispose]() {
      agent.destroy();
    },
  };
}
