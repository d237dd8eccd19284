/** Outbound traffic: the daemon asks for a connection, the agent dials it from inside the pod. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { join, reset } from './join.ts';
import type { AgentLog } from './log.ts';
import { errorHeader, parseAuthority } from './protocol.ts';

/** How long a dial may take; the system's own limit is above two minutes. */
const dialLimit = 10_000;
/** The daemon resets a refused stream; one that it forgets is reset here. */
const refusedLimit = 5_000;

/** Resolver failures are one code for the workstation, since the program there sees a name it cannot resolve. */
const errorCode = (error: Error): string => {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'ECONNREFUSED';
  return code.startsWith('EAI_') ? 'ENOTFOUND' : code;
};

/** Answers one CONNECT of the outbound session. */
export function dial(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, log: AgentLog): void {
  stream.on('error', () => {});
  const refuse = (code: string): void => {
    if (stream.destroyed || stream.closed) return;
    stream.respond({ ':status': 502, [errorHeader]: code });
    setTimeout(() => reset(stream), refusedLimit).unref();
  };
  const address = headers[':method'] === 'CONNECT' ? parseAuthority(headers[':authority']) : undefined;
  if (address === undefined) {
    refuse('EINVAL');
    return;
  }

  const socket = connect({ ...address, allowHalfOpen: true, noDelay: true });
  const fail = (code: string): void => {
    clearTimeout(timer);
    stream.off('close', abandon);
    socket.destroy();
    log('warn', 'dial failed', { ...address, code });
    refuse(code);
  };
  const onError = (error: Error): void => fail(errorCode(error));
  const abandon = (): void => {
    clearTimeout(timer);
    socket.off('error', onError).on('error', () => {});
    socket.destroy();
  };
  const timer = setTimeout(() => {
    socket.off('error', onError).on('error', () => {});
    fail('ETIMEDOUT');
  }, dialLimit);
  stream.once('close', abandon);
  socket.once('error', onError);
  socket.once('connect', () => {
    clearTimeout(timer);
    socket.off('error', onError);
    stream.off('close', abandon);
    if (stream.closed) reset(socket);
    else {
      stream.respond({ ':status': 200 });
      void join(stream, socket);
    }
  });
}
