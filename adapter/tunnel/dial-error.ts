/** What a program on the workstation is told when the agent could not connect, in the system's own terms. */
import { Duplex } from 'node:stream';

const explanations: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'name not found in the cluster',
  ETIMEDOUT: 'no answer',
  ENETUNREACH: 'no tunnel',
  EPROTONOSUPPORT: 'the agent carries no datagrams',
  EAGAIN: 'too many connections are being opened',
};

/** An Error with a system error code, like the one of a failed `net.connect`. */
export class DialError extends Error {
  readonly code: string;
  readonly host: string;
  readonly port: number;

  constructor(code: string, host: string, port: number) {
    super(`${code}: ${explanations[code] ?? 'cannot connect'}: ${host}:${port}`);
    this.name = 'DialError';
    this.code = code;
    this.host = host;
    this.port = port;
  }
}

/** A stream that fails with `error` as soon as its caller could listen. */
export function failedStream(error: Error): Duplex {
  return new Duplex({ read: () => {}, write: (_chunk, _encoding, callback) => callback() }).destroy(error);
}
