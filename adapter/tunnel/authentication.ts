/** The daemon's side of the bytes before HTTP/2: each side proves that it holds its private key. */
import { createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import type { Duplex } from 'node:stream';
import {
  decodeHello,
  decodeHelloHead,
  encodeAnswer,
  type Greeting,
  helloHeadLength,
  helloRestLength,
  nonceLength,
  type Role,
  signatureLength,
  signedBytes,
  status,
} from '../../agent/protocol.ts';
import { readExactly } from '../../agent/read.ts';
import { agreedVersion, daemonVersions, rangeText, type VersionRange } from '../../agent/versions.ts';

export interface Identity {
  readonly session: string;
  readonly privateKey: KeyObject;
  /** 16 random bytes that the two connections of a tunnel share. */
  readonly tunnelId: Buffer;
  /** Of the protocol, that we speak; for tests. */
  readonly versions?: VersionRange;
}

/** What answers on the tunnel port does not hold the key that the pod's agent wrote into its log. */
export class AgentUnproven extends Error {
  override readonly name = 'AgentUnproven';
}

/** The agent and this program share no version of the protocol. */
export class NoCommonVersion extends Error {
  override readonly name = 'NoCommonVersion';
  readonly agentIsNewer: boolean;

  constructor(agent: VersionRange, daemon: VersionRange) {
    super(`the agent speaks ${rangeText(agent)} of the tunnel protocol, this program ${rangeText(daemon)}`);
    this.agentIsNewer = agent.lowest > daemon.highest;
  }
}

const reasons: Readonly<Record<number, string>> = {
  [status.versionUnknown]: 'the agent does not know this version of the tunnel protocol',
  [status.signatureRefused]: 'the agent belongs to another session: it refused the key',
  [status.malformed]: 'the agent did not understand the answer to its greeting',
};

/**
 * Chooses the version on one connection, proves our identity, and has the agent prove its own: with the key that `isAgentKey`
 * knows. Resolves with the version; afterwards the channel carries HTTP/2. Rejects with NoCommonVersion, with AgentUnproven, or
 * with an Error that says why not. An agent that shows another key is told nothing.
 */
export async function authenticate(
  channel: Duplex,
  role: Role,
  identity: Identity,
  isAgentKey: (key: Buffer) => Promise<boolean>,
  signal: AbortSignal,
): Promise<number> {
  const { session, tunnelId, privateKey, versions = daemonVersions } = identity;
  const highest = decodeHelloHead(await readExactly(channel, helloHeadLength, signal));
  const hello = decodeHello(highest, await readExactly(channel, helloRestLength(highest), signal));
  const version = agreedVersion(hello.versions, versions);
  if (version === undefined) throw new NoCommonVersion(hello.versions, versions);
  if (!(await isAgentKey(hello.agentKey))) throw new AgentUnproven('it shows another key than the agent of this pod');
  const greeting: Greeting = { version, session, role, tunnelId, hello, daemonNonce: randomBytes(nonceLength) };
  const signature = sign(null, signedBytes('daemon', greeting), privateKey);
  channel.write(encodeAnswer({ version, role, tunnelId, nonce: greeting.daemonNonce, signature }));
  const verdict = (await readExactly(channel, 1, signal)).readUInt8(0);
  if (verdict !== status.accepted) throw new Error(reasons[verdict] ?? `the agent answered ${verdict}`);
  const proof = await readExactly(channel, signatureLength, signal);
  const agentKey = createPublicKey({ key: hello.agentKey, format: 'der', type: 'spki' });
  if (!verify(null, signedBytes('agent', greeting), agentKey, proof)) {
    throw new AgentUnproven('it does not hold the key that it shows');
  }
  return version;
}
