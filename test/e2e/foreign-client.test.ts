/** Whoever is not of the session gets nothing: not from the agent, not from the daemon, not from what lies on the disk. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { rpcOver } from '../../adapter/rpc.ts';
import { helloRequest, sessionProtocolVersion, statusRequest } from '../../adapter/session/protocol.ts';
import {
  type AgentConfiguration,
  agentConfigurationVariable,
  configurationVersion,
  decodeHello,
  decodeHelloHead,
  encodeAnswer,
  type Hello,
  helloHeadLength,
  helloRestLength,
  nonceLength,
  parseAgentConfiguration,
  protocolVersion,
  signatureLength,
  signedBytes,
  status,
  tunnelIdLength,
} from '../../agent/protocol.ts';
import { readExactly } from '../../agent/read.ts';
import { apply } from '../apps/files/files.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { agentImage, openWorld, processesOf, type World } from '../stage/world.ts';
import { placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';

const namespace = 'e2e-foreign';
/** What the shop's Secret holds. */
const secret = 'tok_demo_4f9c2b7e61';
const nobody = 65_534;
const patience = () => AbortSignal.timeout(30_000);

let world: World;
let before: Snapshot;
let session: RunningCommand;
let endedToken = '';

beforeAll(async () => {
  world = await openWorld(namespace);
  before = await world.snapshot();
  const first = await startSession();
  endedToken = readFileSync(sessionFile('token'), 'utf8');
  await endSession(first);
  session = await startSession();
});
afterAll(async () => {
  if (session !== undefined) await endSession(session);
  await world?.asBefore(before);
  await world?.[Symbol.asyncDispose]();
});

async function startSession(): Promise<RunningCommand> {
  const program =
    "require('node:http').createServer((_, r) => r.end('here')).listen(process.env.KUBERNETES_LOCAL_PORT_8080, '127.0.0.1', () => console.error('up'))";
  const options = ['--target', 'cart', ...placeOptions(world), '--on-port-conflict', 'other-port'];
  const command = startCommand(world, ['run', ...options, '--', process.execPath, '-e', program]);
  await command.saw('up');
  return command;
}

async function endSession(command: RunningCommand): Promise<void> {
  command.kill('SIGTERM');
  await command.ended;
}

/** All files, folders and sockets of the product on this computer: its state, and where the helper listens. */
function paths(): readonly string[] {
  return [world.state, ...helperFolders()].flatMap((folder) => [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ]);
}

const helperSchema = z.object({ directory: z.string() });

function helperFolders(): readonly string[] {
  return processesOf(world.state).flatMap(({ command }) => {
    const [, argument] = / helper (\S+)$/.exec(command) ?? [];
    if (argument === undefined) return [];
    return [helperSchema.parse(JSON.parse(Buffer.from(argument, 'base64url').toString())).directory];
  });
}

function sessionFile(end: string): string {
  const found = paths().find((path) => path.endsWith(end));
  if (found === undefined) throw new Error(`no ${end} in ${paths().join(' ')}`);
  return found;
}

const stands = async () => expect(await world.shop.request('http://cart/')).toBe('here');

/** The first agent pod: its name, address and the agent's configuration. */
async function agentPod(): Promise<{ name: string; ip: string; configuration: AgentConfiguration }> {
  const fields = [
    '{.metadata.name}{"\\t"}{.status.podIP}{"\\t"}',
    `{.spec.containers[*].env[?(@.name=="${agentConfigurationVariable}")].value}{"\\n"}`,
  ].join('');
  const pods = await world.shop.kubectl.run([
    ...['get', 'pods', '-n', namespace, '-l', 'app=cart', '-o'],
    `jsonpath={range .items[?(@.metadata.annotations.kubernetes-local/session)]}${fields}{end}`,
  ]);
  const [name = '', ip = '', json = ''] = (pods.split('\n')[0] ?? '').split('\t');
  return { name, ip, configuration: parseAgentConfiguration(json) };
}

class Forwarded implements Disposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** A port here that leads to one of a pod, as anybody with the right to forward ports makes it. */
  static async to(pod: string, port: number): Promise<Forwarded> {
    const [command = 'kubectl', ...prefix] = world.shop.kubectl.argv;
    const args = [...prefix, 'port-forward', '-n', namespace, `pod/${pod}`, `:${port}`];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const [, found] = /127\.0\.0\.1:(\d+) ->/.exec(line) ?? [];
      if (found !== undefined) return new Forwarded(child, Number(found));
    }
    throw new Error('kubectl port-forward ended');
  }

  dial(): Socket {
    return connect(this.port, '127.0.0.1').on('error', () => {});
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

async function helloFrom(socket: Socket): Promise<Hello> {
  const highest = decodeHelloHead(await readExactly(socket, helloHeadLength, patience()));
  return decodeHello(highest, await readExactly(socket, helloRestLength(highest), patience()));
}

function answerWith(privateKey: KeyObject, name: string, hello: Hello): Buffer {
  const [tunnelId, nonce] = [randomBytes(tunnelIdLength), randomBytes(nonceLength)];
  const greeting = {
    version: protocolVersion,
    session: name,
    role: 'outbound',
    tunnelId,
    hello,
    daemonNonce: nonce,
  } as const;
  const signature = sign(null, signedBytes('daemon', greeting), privateKey);
  return encodeAnswer({ version: protocolVersion, role: 'outbound', tunnelId, nonce, signature });
}

/** All that comes until the other side closes. */
async function rest(socket: Socket): Promise<number[]> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close', { signal: patience() });
  return [...Buffer.concat(chunks)];
}

describe('the agent', () => {
  it('refuses who cannot prove the key of the session, and serves the session on', async () => {
    const { name, configuration } = await agentPod();
    using forwarded = await Forwarded.to(name, configuration.tunnelPort);
    const foreign = generateKeyPairSync('ed25519').privateKey;
    const say = async (make: (hello: Hello) => Buffer | string): Promise<number[]> => {
      const socket = forwarded.dial();
      socket.write(make(await helloFrom(socket)));
      return rest(socket);
    };
    const silent = forwarded.dial();
    await helloFrom(silent);
    expect(
      await Promise.all([
        say((hello) => answerWith(foreign, configuration.session, hello)),
        say((hello) => answerWith(foreign, 'another session', hello)),
        say(() => Buffer.concat([Buffer.of(protocolVersion, 1), randomBytes(200)])),
        say(() => Buffer.concat([Buffer.of(protocolVersion, 9), randomBytes(200)])),
        say(() => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        say(() => randomBytes(4096).fill(0, 0, 1)),
        rest(silent),
      ]),
    ).toEqual([
      [status.signatureRefused],
      [status.signatureRefused],
      [status.signatureRefused],
      [status.malformed],
      [status.versionUnknown],
      [status.versionUnknown],
      [],
    ]);
    await stands();
  });

  it('refuses an answer that it has accepted once already', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const configuration: AgentConfiguration = {
      version: configurationVersion,
      session: 'recorded',
      publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      tunnelPort: 19_471,
      healthPort: 19_472,
      ports: [],
    };
    const env = [{ name: agentConfigurationVariable, value: JSON.stringify(configuration) }];
    const container = { name: 'agent', image: agentImage, imagePullPolicy: 'IfNotPresent', env };
    const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
    const { kubectl } = world.shop;
    const metadata = { name: 'recorded' };
    await apply(kubectl, [{ apiVersion: 'v1', kind: 'Pod', metadata, spec }], namespace);
    await kubectl.run(['wait', 'pod/recorded', '-n', namespace, '--for=condition=Ready', '--timeout=60s']);
    using forwarded = await Forwarded.to('recorded', configuration.tunnelPort);

    const first = forwarded.dial();
    const recorded = answerWith(privateKey, 'recorded', await helloFrom(first));
    first.write(recorded);
    const verdict = await readExactly(first, 1 + signatureLength, patience());
    expect(verdict[0]).toBe(status.accepted);

    const second = forwarded.dial();
    await helloFrom(second);
    second.write(recorded);
    expect(await rest(second)).toEqual([status.signatureRefused]);
    // The pod has served: the snapshot before the session does not know it.
    await kubectl.run(['delete', 'pod', 'recorded', '-n', namespace, '--grace-period=0', '--force']);
  });

  it('listens for tunnels on the loopback of its pod only', async () => {
    const { ip, configuration } = await agentPod();
    const from = (port: number, path = '') =>
      world.shop.request(`http://${ip}:${port}/${path}`).then(
        (answer) => answer.trim(),
        (error: unknown) => String(error),
      );
    expect(await from(configuration.healthPort, 'live')).toBe('live');
    expect(await from(configuration.tunnelPort)).toContain('Connection refused');
  });
});

describe('the daemon', () => {
  const socketPath = () => sessionFile('.sock');
  const dial = () => rpcOver(connect(socketPath()).on('error', () => {}));
  const hello = (token: string) => ({ version: sessionProtocolVersion, token });

  it.each([
    ['a wrong token', () => 'x'.repeat(endedToken.length)],
    ['no token', () => ''],
    ['the token of a session that has ended', () => endedToken],
  ])('refuses %s and hangs up', async (_what, token) => {
    const rpc = dial();
    rpc.listen();
    const hungUp = new Promise<void>((resolve) => rpc.onClose(resolve));
    await expect(rpc.sendRequest(helloRequest, hello(token()))).rejects.toThrow('wrong token');
    await hungUp;
    await stands();
  });

  it('tells nothing to who has not said hello', async () => {
    const rpc = dial();
    const heard: unknown[] = [];
    rpc.onUnhandledNotification((message) => heard.push(message));
    rpc.listen();
    for (const method of ['status', 'connect', 'standing', 'logs', 'diagnosis'].map((name) => `session/${name}`)) {
      const request = method.endsWith('connect') ? rpc.sendRequest(method, {}) : rpc.sendRequest(method);
      await expect(request).rejects.toThrow('say hello first');
    }
    rpc.end();
    expect(heard).toEqual([]);
  });

  it('survives what is no message', async () => {
    const socket = connect(socketPath()).on('error', () => {});
    socket.write('Content-Length: 999999999\r\n\r\n');
    socket.end(randomBytes(65_536));
    await once(socket.resume(), 'close');
    await stands();
  });

  it('lets in the right token', async () => {
    const rpc = dial();
    rpc.listen();
    await rpc.sendRequest(helloRequest, hello(readFileSync(sessionFile('token'), 'utf8')));
    expect(await rpc.sendRequest(statusRequest)).toMatchObject({ state: 'connected' });
    rpc.end();
  });

  it('cannot be reached by another user, even one who may enter its folder', async () => {
    const asNobody = (program: string) => {
      const args = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', 'sh', '-c', program];
      return execFileSync('setpriv', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    };
    const path = socketPath();
    expect(() => asNobody(`cat '${sessionFile('token')}'`)).toThrow('Permission denied');
    expect(() => asNobody(`ls '${world.state}'`)).toThrow('Permission denied');
    const folders = [world.state, join(world.state, 'sessions'), join(path, '..')];
    for (const folder of folders) chmodSync(folder, 0o755);
    try {
      expect(asNobody(`ls '${join(path, '..')}'`)).toContain('token');
      expect(() => asNobody(`cat '${sessionFile('token')}'`)).toThrow('Permission denied');
      const connecting = `perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => "${path}") or die $!'`;
      expect(() => asNobody(connecting)).toThrow('Permission denied');
      // The same command as the socket's owner: it is the user that is refused.
      execFileSync('sh', ['-c', connecting]);
    } finally {
      for (const folder of folders) chmodSync(folder, 0o700);
    }
    await stands();
  });
});

describe('what is on this computer', () => {
  it('is the user’s alone: folders 0700, files and sockets 0600', () => {
    const wide = paths().flatMap((path) => {
      const stat = lstatSync(path);
      const wanted = stat.isDirectory() ? 0o700 : 0o600;
      return stat.isSymbolicLink() || (stat.mode & 0o777) === wanted ? [] : [`${path} ${stat.mode.toString(8)}`];
    });
    // The daemon's, and the two at which the helper calls.
    expect(paths().filter((path) => lstatSync(path).isSocket())).toHaveLength(3);
    expect(wide).toEqual([]);
  });

  it('listens on addresses of this computer only', () => {
    const processes = processesOf(world.state);
    expect(processes.length).toBeGreaterThan(1);
    const listening = processes.flatMap(({ pid }) => listenedOn(pid));
    expect(listening.length).toBeGreaterThan(0);
    expect(listening.filter((address) => !/^(127\.|::1 |::ffff:127\.)/.test(address))).toEqual([]);
  });

  it('shows no secret in what everybody may read of its processes', () => {
    const token = readFileSync(sessionFile('token'), 'utf8').trim();
    for (const { pid, command } of processesOf(world.state)) {
      for (const hidden of [token, secret, 'PRIVATE KEY'])
        expect([command, command.includes(hidden)]).toEqual([command, false]);
      // Of the environment only its owner may read.
      expect(statSync(`/proc/${pid}/environ`).mode & 0o077).toBe(0);
    }
  });

  it('keeps token and secrets out of logs and journal', async () => {
    const token = readFileSync(sessionFile('token'), 'utf8').trim();
    expect(token.length).toBeGreaterThan(30);
    const files = paths().filter((path) => lstatSync(path).isFile() && !path.endsWith('/token'));
    const texts = files.map((path): [string, string] => [path, readFileSync(path, 'utf8')]);
    expect(texts.some(([, text]) => text.includes('tunnel'))).toBe(true);
    const leaks = texts.filter(([, text]) =>
      [token, endedToken.trim(), 'PRIVATE KEY'].some((each) => text.includes(each)),
    );
    expect(leaks.map(([path]) => path)).toEqual([]);
    const { stdout } = await runCommand(world, ['status']);
    expect(stdout).not.toContain(token);
  });
});

/** The addresses at which a process accepts TCP connections, as `127.0.0.1 80`, in its own network namespace. */
function listenedOn(pid: number): readonly string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? ''];
      } catch {
        // It was closed meanwhile.
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      // 0A is LISTEN.
      .filter(([, , , state, , , , , , inode = '-']) => state === '0A' && sockets.has(inode))
      .map(([, local = '']) => addressOf(local)),
  );
}

/** The kernel writes addresses as words of four bytes, each the wrong way round on this kind of processor. */
function addressOf(local: string): string {
  const [hex = '', port = ''] = local.split(':');
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)));
  const text = Number.parseInt(port, 16);
  if (bytes.length === 4) return `${bytes.join('.')} ${text}`;
  if (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return `::1 ${text}`;
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return isMapped ? `::ffff:${bytes.slice(12).join('.')} ${text}` : `${hex} ${text}`;
}
