/** Opens port-forwards into pods, over SPDY or, where something on the way does not let that pass, over websockets. */
import type { Log } from '../../diagnostics/log.ts';
import type { PortForward, PortForwarder } from '../../tunnel/tunnel.ts';
import { hasStatus } from '../api-error.ts';
import type { Cluster } from '../cluster.ts';
import { pathOf } from '../kinds.ts';
import type { Opening } from './opening.ts';
import type { PodChannel } from './pod-channel.ts';
import { openSpdy } from './spdy-upgrade.ts';
import { openWebsocket } from './websocket-channel.ts';

type Way = (opening: Opening) => Promise<PodChannel>;

/**
 * Into pods of the session's namespace. Each channel has a connection of its own. Rejects with ApiError if the API server
 * refuses, with Problem 'cluster-unreachable', or with the signal's reason.
 */
export function portForwarder(cluster: Cluster): PortForwarder {
  /** Known once one has passed. */
  let proven: Way | undefined;
  return {
    async forward(pod, ports, signal) {
      signal.throwIfAborted();
      const path = `${pathOf('Pod', cluster.namespace, pod)}/portforward`;
      const open = async (way: Way): Promise<readonly PodChannel[]> => {
        const channels = await all(
          ports.map((port) =>
            cluster.api.withCredentials((options) => way({ server: cluster.server, path, port, options, signal })),
          ),
        );
        proven = way;
        return channels;
      };
      return forwardOf(await (proven === undefined ? firstToPass(open, cluster.log, signal) : open(proven)));
    },
  };
}

async function firstToPass<T>(open: (way: Way) => Promise<T>, log: Log, signal: AbortSignal): Promise<T> {
  try {
    return await open(openSpdy);
  } catch (error) {
    // No other way would change that.
    if (signal.aborted || hasStatus(error, 401, 404)) throw error;
    log.write('info', 'SPDY does not pass, websockets are tried', { error });
    return await open(openWebsocket);
  }
}

/** If one does not open, the others are closed. */
async function all(opening: readonly Promise<PodChannel>[]): Promise<readonly PodChannel[]> {
  try {
    return await Promise.all(opening);
  } catch (error) {
    for (const outcome of await Promise.allSettled(opening)) {
      if (outcome.status === 'fulfilled') outcome.value.destroy();
    }
    throw error;
  }
}

function forwardOf(channels: readonly PodChannel[]): PortForward {
  const destroyAll = (): void => {
    for (const channel of channels) channel.destroy();
  };
  return {
    channels,
    closed: Promise.race(channels.map(({ gone }) => gone)),
    [Symbol.asyncDispose]: async () => {
      destroyAll();
      await Promise.all(channels.map(({ disconnected }) => disconnected));
    },
  };
}
