/** The daemon's side of the bytes before HTTP/2: proves that it holds the session's private key. */
import { type KeyObject, sign } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { decodeHello, encodeAnswer, helloLength, type Role, signedBytes, status } from '../../agent/protocol.ts';
import { readExactly } from '../../agent/read.ts';

export interface Identity {
  readonly session: string;
  readonly privateKey: KeyObject;
  /** 16 random bytes that the two connections of a tunnel share. */
  readonly tunnelId: Buffer;
}

const reasons: Readonly<Record<number, string>> = {
  [status.versionUnknown]: 'the agent does not know this version of the tunnel protocol',
  [status.signatureRefused]: 'the agent belongs to another session: it refused the key',
  [status.malformed]: 'the agent did not understand the answer to its greeting',
};

/** Proves our identity on one connection. Afterwards it carries HTTP/2. Rejects with an Error that says why not. */
export async function authenticate(
  channel: Duplex,
  role: Role,
  identity: Identity,
  signal: AbortSignal,
): Promise<void> {
  const { nonce } = decodeHello(await readExactly(channel, helloLength, signal));
  const signature = sign(null, signedBytes(identity.session, role, identity.tunnelId, nonce), identity.privateKey);
  channel.write(encodeAnswer({ role, tunnelId: identity.tunnelId, signature }));
  const verdict = (await readExactly(channel, 1, signal)).readUInt8(0);
  if (verdict !== status.accepted) throw new Error(reasons[verdict] ?? `the agent answered ${verdict}`);
}
