/**
 * "Run without debugging": debugpy and Delve then send no `initialized` (field notes, §1.2), for which some clients wait
 * before they go on. They get one from us, and what they configure then is answered here, for nobody else would.
 */
import { field, type Raw, type Request } from './message.ts';

/** LSP4IJ configures in a callback of `initialized` and counts the session as started only then. */
const waitForInitialized = new Set<unknown>(['lsp4ij.debug']);

export class NoDebug {
  /** We said `initialized` in place of the real debug adapter. */
  #spoken = false;

  /** The event to send after a successful `launch` without debugging; undefined if the client needs none. */
  initializedFor(clientID: unknown): Raw | undefined {
    if (this.#spoken || !waitForInitialized.has(clientID)) return undefined;
    this.#spoken = true;
    return { type: 'event', event: 'initialized' };
  }

  /** Our answer to a request that only configures debugging; undefined if it goes to the real debug adapter. */
  answer(request: Request): Raw | undefined {
    if (!this.#spoken) return undefined;
    switch (request.command) {
      case 'setBreakpoints':
      case 'setFunctionBreakpoints':
      case 'setInstructionBreakpoints': {
        const wanted = field(request.arguments, 'breakpoints');
        const none = { verified: false, message: 'The program runs without debugging.' };
        return { success: true, body: { breakpoints: Array.isArray(wanted) ? wanted.map(() => none) : [] } };
      }
      case 'setExceptionBreakpoints':
      case 'configurationDone':
        return { success: true };
      default:
        return undefined;
    }
  }
}
