/**
 * The debug adapter of kubernetes-local: a transparent DAP proxy between the client and the real debug adapter.
 * This folder owns framing, sequence numbers, states, progress and the end of a debug session. It knows nothing of
 * Kubernetes: what has to be connected before and undone after the program is behind `Surroundings`.
 */
import { Conversation } from './conversation.ts';
import type { ServeOptions, Timing } from './options.ts';

const usualTiming: Timing = {
  // dape gives up `launch` after 10 s and kills us; Helix ("hx") any request after 20 s (field notes, §1.2).
  earlyAnswer: { dape: 6000, hx: 15_000 },
  initialize: 15_000,
  reverseRequest: 30_000,
  disconnect: 1000,
  undo: 1500,
  farewell: 2000,
  endOfFile: 500,
  sigterm: 500,
};

/**
 * Serves one debug session until its end, which is also SIGTERM, SIGINT or SIGHUP of this process.
 * Resolves with the exit code of the process; never rejects.
 */
export function serve(options: ServeOptions): Promise<number> {
  return new Conversation(options, { ...usualTiming, ...options.timing }).run();
}
