import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dialInside } from './dial-inside.ts';
import { computerName } from './private-files.ts';
import { assertInstalled, Bed, listening, patience, prepareCopies, removeCopies, users } from './test-bed.ts';

const never = new AbortController().signal;
const python = '/usr/bin/python3';
const places = [
  { address: '10.96.0.50', names: ['prices', 'prices.shop.svc.cluster.local'], ports: [80, 8080] },
  { address: '10.96.0.51', names: ['cart'], ports: [80] },
  { address: 'fd00:10:96::52', names: ['six'], ports: [80] },
];

/** Answers the end of each question by a word. */
const serverInside = (address: string, port: number, word: string) => [
  python,
  '-c',
  `import socket, sys
s = socket.create_server(("${address}", ${port}), family=socket.AF_INET6 if ":" in "${address}" else socket.AF_INET)
print("listening", flush=True)
while True:
    c, _ = s.accept()
    while c.recv(99): pass
    c.sendall(b"${word}"); c.close()`,
];

/** Asks from inside, by a name or an address; what came back, or the error. */
const askInside = (host: string, port: number) => [
  python,
  '-c',
  `import socket
try:
    c = socket.create_connection(("${host}", ${port}), 5); c.sendall(b"?"); c.shutdown(socket.SHUT_WR)
    print(c.recv(99).decode())
except OSError as e: print(type(e).__name__)`,
];

/** As `askInside`, by a connected UDP socket, which takes answers from the address that it asked only. */
const askByUdp = (host: string, port: number) => [
  python,
  '-c',
  `import socket
family, kind, _, _, address = socket.getaddrinfo("${host}", ${port}, type=socket.SOCK_DGRAM)[0]
try:
    c = socket.socket(family, kind); c.settimeout(5); c.connect(address); c.send(b"?")
    print(c.recv(99).decode())
except OSError as e: print(type(e).__name__)`,
];

/** What a server on the computer's loopback answers to a question. */
function askHere(port: number, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host, port, allowHalfOpen: true }, () => socket.end('?'));
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    socket.on('end', () => resolve(answer));
  });
}

/** A port that nobody has here. */
async function freePort(): Promise<number> {
  const server = await hold(0);
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function hold(port: number): Promise<Server> {
  const server = createServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .once('end', () => socket.end('here')),
  );
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

/** Processes in the same network namespace as one had been. */
function processesIn(namespace: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readlinkSync(`/proc/${name}/ns/net`) === namespace;
    } catch {
      return false;
    }
  });
}

beforeAll(prepareCopies);
afterAll(removeCopies);

describe.each(users)('the private network of %s', (_name, user) => {
  let bed: Bed;
  beforeEach(async () => {
    assertInstalled();
    bed = new Bed(user);
    await bed.ready();
  });
  afterEach(() => bed[Symbol.asyncDispose]());

  it('leads names to the Services, several on one port, and IPv6', async () => {
    expect(await bed.ask({ update: places }, 'shadowed')).toEqual({ shadowed: [] });
    expect(await bed.run(askInside('prices', 80))).toBe('10.96.0.50:80');
    expect(await bed.run(askInside('prices.shop.svc.cluster.local', 8080))).toBe('10.96.0.50:8080');
    expect(await bed.run(askInside('cart', 80))).toBe('10.96.0.51:80');
    expect(await bed.run(askInside('six', 80))).toBe('fd00:10:96::52:80');
    const node = 'net.connect(80,"cart").end("?").on("data",(d)=>console.log(String(d)))';
    expect(await bed.run([process.execPath, '-e', node])).toBe('10.96.0.51:80');
    expect(await bed.run(['getent', 'ahostsv4', 'prices'])).toMatch(/^10\.96\.0\.50 /);
    // It asks for IPv6 first; the answer shows that no name server was asked.
    expect(await bed.run(['getent', 'hosts', 'prices'])).toMatch(/^::ffff:10\.96\.0\.50 /);
  });

  it('carries datagrams from each Service’s own address, for several on one port, and IPv6', async () => {
    const withUdp = [
      { address: '10.96.0.50', names: ['prices'], ports: [80], udpPorts: [53] },
      { address: '10.96.0.51', names: ['dns'], ports: [53], udpPorts: [53, 8125] },
      { address: 'fd00:10:96::52', names: ['six'], ports: [], udpPorts: [53] },
    ];
    await bed.ask({ update: withUdp }, 'shadowed');
    expect(await bed.run(askByUdp('prices', 53))).toBe('10.96.0.50:53 ?');
    expect(await bed.run(askByUdp('dns', 53))).toBe('10.96.0.51:53 ?');
    expect(await bed.run(askByUdp('dns', 8125))).toBe('10.96.0.51:8125 ?');
    expect(await bed.run(askByUdp('six', 53))).toBe('fd00:10:96::52:53 ?');
    expect(await bed.run(askInside('dns', 53))).toBe('10.96.0.51:53');
    expect(await bed.run(askByUdp('10.96.0.50', 8125))).toBe('ConnectionRefusedError');
    await bed.ask({ update: withUdp.map((place) => ({ ...place, udpPorts: [8125] })) }, 'shadowed');
    expect(await bed.run(askByUdp('dns', 8125))).toBe('10.96.0.51:8125 ?');
    expect(await bed.run(askByUdp('dns', 53))).toBe('ConnectionRefusedError');
  });

  it('resets what no Service has', async () => {
    await bed.ask({ update: places }, 'shadowed');
    expect(await bed.run(askInside('cart', 8080))).toBe('ConnectionResetError');
    expect(await bed.run(askInside('cart', 9))).toBe('ConnectionRefusedError');
  });

  it('follows changes while a program runs', async () => {
    await bed.ask({ update: places }, 'shadowed');
    const script = `import socket, sys
for name in sys.stdin:
    try: print(socket.gethostbyname(name.strip()), flush=True)
    except OSError as e: print(type(e).__name__, flush=True)`;
    // A look-up of what is not in the file must not wait for a name server that this computer may lack.
    const program = await bed.start([python, '-c', script], {
      env: { ...process.env, RES_OPTIONS: 'timeout:1 attempts:1' },
    });
    const lines: string[] = [];
    if (program.stdout === null) throw new Error('no pipe');
    createInterface({ input: program.stdout }).on('line', (line) => lines.push(line));
    const lookUp = async (name: string) => {
      const before = lines.length;
      program.stdin?.write(`${name}\n`);
      await expect.poll(() => lines.length, patience).toBe(before + 1);
      return lines.at(-1);
    };
    expect(await lookUp('cart')).toBe('10.96.0.51');
    await bed.ask({ update: [{ address: '10.96.0.60', names: ['cart'], ports: [81] }] }, 'shadowed');
    expect(await lookUp('cart')).toBe('10.96.0.60');
    expect(await bed.run(askInside('cart', 81))).toBe('10.96.0.60:81');
    expect(await lookUp('prices')).toBe('gaierror');
  });

  it("leaves the user's own names, and goes before them where both have one", async () => {
    const localhost = { address: '10.96.0.70', names: ['localhost'], ports: [80] };
    expect(await bed.ask({ update: [localhost] }, 'shadowed')).toMatchObject({ shadowed: [{ name: 'localhost' }] });
    const inside = await bed.run(['cat', '/etc/hosts']);
    // Other sessions' lines are left out; there may be some of other tests just now.
    const users = (await readFile('/etc/hosts', 'utf8'))
      .split('\n')
      .filter((line) => !line.includes('kubernetes-local'));
    for (const line of users) expect(inside).toContain(line);
    expect(inside).toMatch(/^# BEGIN/);
  });

  it('lets the program listen where a Service does, below port 1024 too, and reaches it', async () => {
    await bed.ask({ update: places }, 'shadowed');
    await listening(await bed.start(serverInside('0.0.0.0', 80, 'mine')));
    expect(await bed.ask({ dialProgram: 80 }, 'dialled')).toEqual({ dialled: 'mine' });
    expect(await bed.run(askInside('prices', 80))).toBe('10.96.0.50:80');
    expect(await bed.run(askInside('127.0.0.1', 80))).toBe('mine');
    expect(await bed.ask({ dialProgram: 81 }, 'dialled')).toEqual({ dialled: 'nothing listens' });
  });

  it('reaches a program that listens on ::1 only', async () => {
    await listening(await bed.start(serverInside('::1', 8081, 'six')));
    expect(await bed.ask({ dialProgram: 8081 }, 'dialled')).toEqual({ dialled: 'six' });
  });

  it("opens the program's ports on the computer, as long as it listens", async () => {
    const port = await freePort();
    const program = await bed.start(serverInside('127.0.0.1', port, 'inside'));
    await listening(program);
    await expect.poll(() => askHere(port), patience).toBe('inside');
    program.kill();
    await expect.poll(() => askHere(port), patience).toBe('ECONNREFUSED');
  });

  it('says who has a port that cannot be opened, and leaves it alone', async () => {
    const server = await hold(0);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await listening(await bed.start(serverInside('0.0.0.0', port, 'inside')));
    const notices = () => bed.said.flatMap((it) => ('notice' in it && it.notice.startsWith('Port') ? [it.notice] : []));
    await expect.poll(notices, patience).toHaveLength(1);
    expect(notices()[0]).toContain(`Port ${port} of your program is not reachable at 127.0.0.1:${port} here.`);
    expect(notices()[0]).toMatch(user.length > 0 ? /listens on 127\.0\.0\.1/ : /pid \d+.* listens on 127\.0\.0\.1/);
    expect(await askHere(port)).toBe('here');
    await new Promise((resolve) => server.close(resolve));
    await expect.poll(() => askHere(port), patience).toBe('inside');
  });

  it('opens no excluded port', async () => {
    await listening(await bed.start(serverInside('127.0.0.1', 8099, 'inside')));
    const other = await freePort();
    await listening(await bed.start(serverInside('127.0.0.1', other, 'other')));
    await expect.poll(() => askHere(other), patience).toBe('other');
    expect(await askHere(8099)).toBe('ECONNREFUSED');
  });

  it('can be dialled by other processes of the user', async () => {
    const { dialSocket } = await bed.ready();
    await listening(await bed.start(serverInside('127.0.0.1', 4711, 'debugger')));
    const socket = await dialInside(dialSocket, '127.0.0.1', 4711, never);
    let answer = '';
    socket.end('?');
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toBe('debugger');
    await expect(dialInside(dialSocket, '127.0.0.1', 4712, never)).rejects.toThrow('ECONNREFUSED');
  });

  it('runs a command as what it is outside: user, folder, environment, exit code, signals', async () => {
    const env = { PATH: process.env.PATH, PWD: '/nowhere', 'spring.port': 'a b', 'x-y': '$(id)' };
    expect(await bed.run(['pwd'], { cwd: '/usr/lib', env })).toBe('/usr/lib');
    const inside = await bed.run(['/usr/bin/env'], { cwd: '/', env: { ...env, PWD: '/', SHLVL: '1' } });
    expect(inside.split('\n').sort()).toEqual([`PATH=${env.PATH}`, 'PWD=/', 'SHLVL=1', 'spring.port=a b', 'x-y=$(id)']);
    const uid = user.length > 0 ? 65534 : process.getuid?.();
    expect(await bed.run(['id', '-u'])).toBe(String(uid));
    const capabilities = await bed.run(['grep', 'CapEff', '/proc/self/status']);
    if (uid !== 0) expect(capabilities).toBe('CapEff:\t0000000000000000');
    const failing = await bed.start(['sh', '-c', 'exit 42']);
    expect(await new Promise((resolve) => failing.once('exit', resolve))).toBe(42);
    const waiting = await bed.start(['sh', '-c', 'echo; exec sleep 60']);
    await listening(waiting);
    const ended = new Promise((resolve) => waiting.once('exit', (_code, signal) => resolve(signal)));
    waiting.kill('SIGUSR1');
    expect(await ended).toBe('SIGUSR1');
  });

  it('lets one program trace another', async () => {
    const traced = await bed.start(['sh', '-c', 'echo $$; exec sleep 60']);
    let pid = '';
    traced.stdout?.on('data', (chunk) => {
      pid += String(chunk);
    });
    await expect.poll(() => pid, patience).toMatch(/\n/);
    // PTRACE_ATTACH (16), wait for the stop, PTRACE_DETACH (17).
    const script = `import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print(libc.ptrace(16, ${pid.trim()}, None, None), os.strerror(ctypes.get_errno()))
os.waitpid(${pid.trim()}, 0); libc.ptrace(17, ${pid.trim()}, None, None)`;
    expect(await bed.run([python, '-c', script])).toBe('0 Success');
  });

  it('reaches the computer through pasta, or says what is lost', async () => {
    const { lost, tun } = await bed.ready();
    if (!tun) {
      expect(lost).toEqual([expect.stringContaining('/dev/net/tun')]);
      return;
    }
    expect(lost).toEqual([]);
    const server = createServer((socket) => socket.on('error', () => {}).end('the computer'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    // No half-close, with which Debian 12's pasta has its difficulties (half-close.ts).
    const ask = `import socket
print(socket.create_connection(("${computerName}", ${port})).recv(99).decode())`;
    expect(await bed.run([python, '-c', ask])).toBe('the computer');
    await new Promise((resolve) => server.close(resolve));
  });

  it('leaves nothing behind, neither at its end nor when the daemon is killed', async () => {
    for (const end of ['end', 'kill'] as const) {
      await using other = new Bed(user);
      const { dialSocket, pid } = await other.ready();
      const namespace = readlinkSync(`/proc/${pid}/ns/net`);
      const inside = processesIn(namespace);
      expect(inside).toContain(String(pid));
      if (end === 'end') await other[Symbol.asyncDispose]();
      else other.daemon.kill('SIGKILL');
      // The kernel gives the number of a namespace that is gone to the next one, which may be another test's.
      const left = () => processesIn(namespace).filter((each) => inside.includes(each));
      await expect.poll(left, patience).toEqual([]);
      await expect.poll(() => existsSync(dirname(dialSocket)), patience).toBe(false);
    }
  });

  it('says so when it ends by itself', async () => {
    const { pid } = await bed.ready();
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => bed.said.some((it) => 'closed' in it), patience).toBe(true);
  });
});
