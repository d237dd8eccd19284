/** Outbound traffic: the daemon asks for a connection, the agent dials it from inside the pod. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { openDatagrams } from './datagram-dialler.ts';
import { join, reset } from './join.ts';
import { type DialLimits, Limit } from './limits.ts';
import type { AgentLog } from './log.ts';
import { datagramTransport, errorHeader, parseAuthority, transportHeader } from './protocol.ts';
import { carriedSocket } from './sockets.ts';

/** How long a dial may take; the system's own limit is above two minutes. */
const dialLimit = 10_000;
/** The daemon resets a refused stream; one that it forgets is reset here. */
const refusedLimit = 5_000;

export interface DiallerOptions {
  readonly log: AgentLog;
  readonly limits: DialLimits;
  /** Milliseconds after which a silent stream of datagrams is closed; for tests. */
  readonly datagramIdle?: number;
}

type Address = NonNullable<ReturnType<typeof parseAuthority>>;
type Refuse = (code: string) => void;

/** Resolver failures are one code for the workstation, since the program there sees a name it cannot resolve. */
const errorCode = (error: Error): string => {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'ECONNREFUSED';
  return code.startsWith('EAI_') ? 'ENOTFOUND' : code;
};

export class Dialler {
  readonly #options: DiallerOptions;
  readonly #counts = { dialling: 0, datagrams: 0 };
  readonly #limits: Readonly<Record<keyof DialLimits, Limit>>;

  constructor(options: DiallerOptions) {
    this.#options = options;
    const limit = (kind: keyof DialLimits): Limit =>
      new Limit(options.limits[kind], (most) =>
        options.log('warn', 'dials refused', { reason: `${most} ${kind} at a time` }),
      );
    this.#limits = { dialling: limit('dialling'), datagrams: limit('datagrams') };
  }

  /** Connections that are being opened, and streams of datagrams. */
  get counts(): DialLimits {
    return { ...this.#counts };
  }

  /** Answers one CONNECT of an outbound session. */
  dial(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => {});
    const refuse = (code: string): void => {
      if (stream.destroyed || stream.closed) return;
      stream.respond({ ':status': 502, [errorHeader]: code });
      setTimeout(() => reset(stream), refusedLimit).unref();
    };
    const address = parseAuthority(headers[':authority']);
    const transport = headers[transportHeader];
    if (address === undefined) refuse('EINVAL');
    else if (transport === datagramTransport) this.#dialDatagrams(stream, address, refuse);
    else if (transport === undefined) this.#dialStream(stream, address, refuse);
    else refuse('EPROTONOSUPPORT');
  }

  #dialDatagrams(stream: ServerHttp2Stream, address: Address, refuse: Refuse): void {
    if (this.#limits.datagrams.reached(this.#counts.datagrams)) {
      refuse('EAGAIN');
      return;
    }
    const { log, datagramIdle } = this.#options;
    this.#counts.datagrams += 1;
    stream.once('close', () => {
      this.#counts.datagrams -= 1;
    });
    openDatagrams(stream, address, { log, ...(datagramIdle !== undefined && { idleLimit: datagramIdle }) }).catch(
      (error: Error) => {
        log('warn', 'dial failed', { ...address, transport: datagramTransport, code: errorCode(error) });
        refuse(errorCode(error));
      },
    );
  }

  #dialStream(stream: ServerHttp2Stream, address: Address, refuse: Refuse): void {
    if (this.#limits.dialling.reached(this.#counts.dialling)) {
      refuse('EAGAIN');
      return;
    }
    this.#counts.dialling += 1;
    const socket = connect({ ...address, ...carriedSocket });
    const over = (): void => {
      this.#counts.dialling -= 1;
      clearTimeout(timer);
      socket.off('error', onError);
      stream.off('close', abandon);
    };
    const drop = (): void => {
      over();
      socket.on('error', () => {}).destroy();
    };
    const fail = (code: string): void => {
      drop();
      this.#options.log('warn', 'dial failed', { ...address, code });
      refuse(code);
    };
    const onError = (error: Error): void => fail(errorCode(error));
    const abandon = (): void => drop();
    const timer = setTimeout(() => fail('ETIMEDOUT'), dialLimit);
    stream.once('close', abandon);
    socket.once('error', onError);
    socket.once('connect', () => {
      over();
      if (stream.closed) reset(socket);
      else {
        stream.respond({ ':status': 200 });
        void join(stream, socket);
      }
    });
  }
}
