/**
 * Lookups of our names do not leave for the real DNS, whichever addresses a program asks for. Runs as root: in a network
 * of its own, whose only name server is one that writes down what it is asked.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setBlock } from '../../adapter/network/hosts/hosts-writer.ts';
import { ensurePackages } from '../cluster/packages.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
const address = '127.64.1.1';

/** Prints each family's addresses; unspecified, IPv4, IPv6. */
const c = `
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
int main(int count, char **words) {
  int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
  for (int i = 0; i < 3; i++) {
    struct addrinfo hints = {.ai_family = families[i], .ai_socktype = SOCK_STREAM}, *found, *one;
    int error = getaddrinfo(words[1], "80", &hints, &found);
    if (error) { printf("%s\\n", gai_strerror(error)); continue; }
    for (one = found; one; one = one->ai_next) {
      char text[99];
      getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, 0, 0, NI_NUMERICHOST);
      printf("%s ", text);
    }
    puts("");
  }
}`;
const python = `
import socket, sys
for family in (socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6):
    try: print(*[one[4][0] for one in socket.getaddrinfo(sys.argv[1], 80, family, socket.SOCK_STREAM)])
    except OSError as error: print(error)
`;
const node = `
import { lookup } from 'node:dns/promises';
for (const family of [0, 4, 6]) {
  console.log(...await lookup(process.argv[1], { family, all: true }).then((all) => all.map((one) => one.address), (error) => [error.code]));
}
`;
const go = `package main
import ("context"; "fmt"; "net"; "os")
func main() {
  for _, network := range []string{"ip", "ip4", "ip6"} {
    found, err := (&net.Resolver{PreferGo: true}).LookupIP(context.Background(), network, os.Args[1])
    fmt.Println(found, err)
  }
}`;
/** Answers "no such name" to everything, after it has written it down. */
const server = `
import { appendFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
const [, log] = process.argv;
const socket = createSocket('udp4');
socket.on('message', (query, from) => {
  const labels = [];
  let at = 12;
  for (; query[at] > 0; at += query[at] + 1) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
  appendFileSync(log, labels.join('.') + '\\n');
  const answer = Buffer.from(query.subarray(0, at + 5));
  answer.writeUInt16BE(0x8183, 2);
  answer.fill(0, 6, 12);
  socket.send(answer, from.port, from.address);
});
socket.bind(53, '127.0.0.1', () => console.log('ready'));
`;

let folder = '';
let inside: ChildProcess;
const programs = new Map<string, readonly string[]>();
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  await ensurePackages(['gcc', 'libc6-dev', 'python3-minimal', 'iproute2']);
  folder = await mkdtemp(join(tmpdir(), 'lookups-'));
  await Promise.all([
    writeFile(at('look.c'), c),
    writeFile(at('look.go'), go),
    writeFile(at('asked'), ''),
    writeFile(at('resolv.conf'), 'nameserver 127.0.0.1\nsearch example\noptions timeout:1 attempts:1\n'),
    writeFile(at('hosts'), '127.0.0.1 localhost\n::1 localhost\n'),
  ]);
  await Promise.all([
    run('gcc', ['-o', at('look-c'), at('look.c')]),
    run('go', ['build', '-o', at('look-go'), at('look.go')], { env: { ...process.env, CGO_ENABLED: '0' } }),
  ]);
  programs.set('C', [at('look-c')]);
  programs.set('Python', ['/usr/bin/python3', '-c', python]);
  programs.set('Node', [process.execPath, '--input-type=module', '-e', node, '--']);
  programs.set('Go', [at('look-go')]);
  programs.set('getent', ['getent', 'hosts']);
  const mounts = `mount --bind "$1/hosts" /etc/hosts && mount --bind "$1/resolv.conf" /etc/resolv.conf && ip link set lo up`;
  const script = `${mounts} && exec "$2" --input-type=module -e "$3" "$1/asked"`;
  const command = ['--mount', '--net', 'sh', '-c', script, 'sh', folder, process.execPath, server];
  const child = spawn('unshare', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  inside = child;
  await once(child.stdout, 'data');
  // In place, for the mount shows the file that was mounted.
  const scratch = at('scratch');
  await writeFile(scratch, await readFile(at('hosts')));
  await setBlock(scratch, 'lookups', [{ address, names: ['prices', 'prices.shop'] }], signal);
  await writeFile(at('hosts'), await readFile(scratch));
});
afterAll(async () => {
  inside.kill('SIGKILL');
  await rm(folder, { recursive: true });
});
beforeEach(() => writeFile(at('asked'), ''));

async function lookUp(program: string, name: string): Promise<string> {
  const command = [...(programs.get(program) ?? []), name];
  const words = ['--mount', '--net', `--target=${inside.pid}`, ...command];
  // getent ends with 2 if there is no such name.
  return run('nsenter', words).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? '',
  );
}
const asked = async () => (await readFile(at('asked'), 'utf8')).trim();

describe.each(['C', 'Python', 'Node', 'Go', 'getent'])('%s', (program) => {
  it.each(['prices', 'prices.shop'])('finds %s without asking anybody', async (name) => {
    const found = await lookUp(program, name);
    expect(found).toContain(address);
    expect(await asked()).toBe('');
    expect(found.match(/[\da-f.:]*\b127\.[\d.]+/g)?.map((one) => one.replace('::ffff:', ''))).toSatisfy(
      (all: string[]) => all.every((one) => one === address),
    );
  });

  it('asks for a name that is not ours, so that the test above proves something', async () => {
    await lookUp(program, 'elsewhere.test');
    expect(await asked()).toContain('elsewhere.test');
  });
});

it('an address as IPv6 has it reaches the listener like the other', async () => {
  const program = `
    import { connect, createServer } from 'node:net';
    const server = createServer((socket) => socket.end('hello from ' + socket.localAddress)).listen(8099, '${address}', () => {
      const socket = connect({ host: 'prices', port: 8099, family: 6 });
      socket.on('data', (data) => console.log(String(data))).on('close', () => server.close());
    });
  `;
  const words = ['--mount', '--net', `--target=${inside.pid}`, process.execPath, '--input-type=module', '-e', program];
  expect((await run('nsenter', words)).stdout).toBe(`hello from ${address}\n`);
});
