/** Whether listeners for the Services could be opened here: ports, addresses, descriptors. What is opened is closed at once. */
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { spareDescriptors } from '../ports/descriptors.ts';
import { describeOwner, findPortOwner, isWildcard } from '../ports/ports.ts';
import { type Finding, limited, notPossible, ok } from './finding.ts';

/** In the range of the Services' addresses, and the last that one of them would get. */
const serviceAddress = '127.127.255.254';
/** Ports that Services often have and that programs of the computer often take. */
const popularPorts = [80, 443, 8080];

/** The loopback address that mode env needs. */
export async function loopbackFinding(): Promise<Finding> {
  const failure = await tryAddress('127.0.0.1');
  const subject = '127.0.0.1';
  if (failure === undefined) return ok(subject, 'It takes listeners and connections.');
  return notPossible(subject, `It cannot be used: ${failure}.`, 'Bring the loopback interface up.');
}

/** The addresses that stand for Services in mode hosts. */
export async function serviceAddressesFinding(platform: NodeJS.Platform = process.platform): Promise<Finding> {
  const subject = 'addresses';
  const failure = await tryAddress(serviceAddress);
  if (failure === undefined) return ok(subject, '127.64.0.0/10 takes listeners and connections.');
  if (failure === 'EADDRNOTAVAIL' && platform === 'darwin') {
    return limited(subject, 'Addresses of 127.64.0.0/10 are added to lo0 first, which needs privileges.');
  }
  return notPossible(
    subject,
    `127.64.0.0/10 cannot be used: ${failure}.`,
    'Look whether a firewall or VPN filters the loopback interface.',
  );
}

/** From which port on every user may listen; undefined where that is not known. */
export async function lowPortsFinding(uid = process.getuid?.()): Promise<Finding | undefined> {
  const subject = 'low ports';
  if (process.platform !== 'linux') return undefined;
  const text = await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '1024');
  const first = Number(text.trim());
  if (uid === 0) return ok(subject, 'You are root and may listen on all ports.');
  if (first <= 1) return ok(subject, 'Every user may listen on all ports.');
  return limited(
    subject,
    `You may not listen on ports below ${first}: in mode hosts the helper does it for Services, but your program cannot use such a port.`,
    'Allow them to everybody (sudo sysctl -w net.ipv4.ip_unprivileged_port_start=0), or use mode namespace.',
  );
}

/** How many listeners fit; undefined where that is not known. */
export async function descriptorsFinding(): Promise<Finding | undefined> {
  const known = await spareDescriptors();
  return known && judgeDescriptors(known.limit, known.spare);
}

/** The finding for this limit and so many descriptors to spare. */
export function judgeDescriptors(limit: number, spare: number): Finding {
  const subject = 'descriptors';
  const text = `Up to about ${spare} ports of Services fit, with the limit of ${limit} open files.`;
  return spare >= 2_000
    ? ok(subject, text)
    : limited(subject, text, 'Raise the limit if you have more: ulimit -n 20000');
}

/** Programs that listen on all addresses on ports that Services often have: their names are left out in mode hosts. */
export async function wildcardsFinding(ports: readonly number[] = popularPorts): Promise<Finding> {
  const subject = 'popular ports';
  const found: string[] = [];
  for (const port of ports) {
    const owner = await findPortOwner(port, serviceAddress);
    if (owner && isWildcard(owner.address)) found.push(`${describeOwner(owner)} on port ${port}`);
  }
  if (found.length === 0) return ok(subject, `No program listens on all addresses on port ${ports.join(', ')}.`);
  return limited(
    subject,
    `On all addresses listens: ${found.join('; ')}. In mode hosts, Services with such a port get no name.`,
    'Let it listen on 127.0.0.1 only, stop it, or use mode namespace.',
  );
}

/** Listens there and connects once; the code of what fails. */
async function tryAddress(address: string): Promise<string | undefined> {
  const server: Server = createServer((socket) => socket.end());
  try {
    const port = await new Promise<number>((resolve, reject) => {
      server.once('error', reject).listen({ host: address, port: 0, exclusive: true }, () => {
        const bound = server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : 0);
      });
    });
    await new Promise<void>((resolve, reject) => {
      const socket: Socket = connect({ host: address, port, timeout: 2_000 });
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
      socket.once('timeout', () => socket.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
      socket.once('error', reject);
    });
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
