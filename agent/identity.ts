/** Who the agent is: a key pair made at its start, whose public half stands in its log and nowhere else. */
import { generateKeyPairSync, sign } from 'node:crypto';
import type { AgentLog } from './log.ts';
import { keyAgainAfterLines, keyMessage } from './protocol.ts';

export interface AgentIdentity {
  /** SPKI DER. */
  readonly publicKey: Buffer;
  sign(bytes: Buffer): Buffer;
}

/** A new identity; the private key never leaves this process. */
export function newIdentity(): AgentIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}

/**
 * Writes the public key into the log, and gives the log to use from now on: it writes the key again every
 * `keyAgainAfterLines` lines, so that the newest lines always have it.
 */
export function announce({ publicKey }: AgentIdentity, log: AgentLog): AgentLog {
  const write = (): void => log('info', keyMessage, { publicKey: publicKey.toString('base64') });
  let lines = 0;
  write();
  return (level, message, details) => {
    log(level, message, details);
    lines += 1;
    if (lines % keyAgainAfterLines === 0) write();
  };
}
