/** Asks the API server for a SPDY connection to the kubelet. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { refusalOf } from '../refusal.ts';
import { unreachable } from '../unreachable.ts';
import { type Opening, openingLimit } from './opening.ts';
import type { PodChannel } from './pod-channel.ts';
import { SpdyChannel } from './spdy-channel.ts';

/** Kubernetes' name of the protocol inside of SPDY. */
const streamProtocol = 'portforward.k8s.io';

/**
 * Opens a channel by `POST …/portforward` with `Upgrade: SPDY/3.1`, which all versions of Kubernetes know. Rejects with ApiError
 * if the API server refuses, with Problem 'cluster-unreachable', or with the signal's reason.
 */
export async function openSpdy({ server, path, port, options, signal }: Opening): Promise<PodChannel> {
  const url = new URL(server + path);
  const settings: RequestOptions = {
    // Never a connection of a pool: this one is not given back.
    agent: false,
    ...options,
    method: 'POST',
    headers: {
      ...(options.headers as Record<string, string>),
      Connection: 'Upgrade',
      Upgrade: 'SPDY/3.1',
      'X-Stream-Protocol-Version': streamProtocol,
      'Content-Length': '0',
    },
    signal: AbortSignal.any([signal, AbortSignal.timeout(openingLimit)]),
  };
  const opened = Promise.withResolvers<PodChannel>();
  const message = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, settings);
  message.once('upgrade', (response, socket, first) => {
    if (response.headers['x-stream-protocol-version'] === streamProtocol) {
      opened.resolve(new SpdyChannel(socket, port, first));
      return;
    }
    socket.destroy();
    opened.reject(unreachable(server, new Error('It speaks another protocol of port-forwards')));
  });
  message.once('response', (response) => void refusalOf('POST', path, response).then(opened.reject));
  message.once('error', (error) => opened.reject(signal.aborted ? signal.reason : unreachable(server, error)));
  message.end();
  return opened.promise;
}
