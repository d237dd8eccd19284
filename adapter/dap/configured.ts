/**
 * What the client has configured, to be said again to a debugger that takes another's place: after a restart that the
 * real debug adapter cannot do itself, and for the child session of a client that knows none.
 */
import { BreakpointIds, setsBreakpoints } from './breakpoint-ids.ts';
import type { Debugger } from './debugger.ts';
import { field, isRaw, type Raw, type Request } from './message.ts';

interface Setting {
  readonly request: Request;
  /** The numbers that the client knows its breakpoints by, in their order. */
  ids: readonly unknown[];
}

export class Configured {
  readonly #settings = new Map<string, Setting>();
  #done = false;

  /** A request of the client that goes to the debugger. */
  asked(request: Request): void {
    if (request.command === 'configurationDone') this.#done = true;
    // What data breakpoints refer to does not outlive the program.
    if (!setsBreakpoints(request.command) || request.command === 'setDataBreakpoints') return;
    const key = JSON.stringify([request.command, sourceOf(request)]);
    // Told again in the order of the last change.
    this.#settings.delete(key);
    this.#settings.set(key, { request, ids: [] });
  }

  /** Its answer, as the client sees it. */
  answered(request: Request, answer: Raw): void {
    const breakpoints = field(answer.body, 'breakpoints');
    if (!setsBreakpoints(request.command) || !Array.isArray(breakpoints)) return;
    for (const setting of this.#settings.values()) {
      if (setting.request === request) setting.ids = breakpoints.map((one) => field(one, 'id'));
    }
  }

  /** Tells all of it to a debugger. `tell` takes events by which the client learns where its breakpoints are now. */
  async replay(to: Debugger, tell: (event: Raw) => void): Promise<void> {
    const ids = new BreakpointIds();
    to.breakpointIds = ids;
    for (const setting of this.#settings.values()) {
      for (const id of setting.ids) if (typeof id === 'number') ids.reserve(id);
    }
    for (const setting of [...this.#settings.values()]) {
      const { command, arguments: args } = setting.request;
      const answer = await to.requests.ask({ type: 'request', command, arguments: args });
      const breakpoints = field(answer.body, 'breakpoints');
      if (!Array.isArray(breakpoints)) continue;
      for (const [index, breakpoint] of breakpoints.entries()) {
        const known = setting.ids[index];
        const own = field(breakpoint, 'id');
        if (typeof known !== 'number' || !isRaw(breakpoint)) continue;
        if (typeof own === 'number') ids.same(own, known);
        tell({
          type: 'event',
          event: 'breakpoint',
          body: { reason: 'changed', breakpoint: { ...breakpoint, id: known } },
        });
      }
    }
    if (this.#done && to.capabilities.supportsConfigurationDoneRequest === true) {
      await to.requests.ask({ type: 'request', command: 'configurationDone' });
    }
  }
}

function sourceOf(request: Request): unknown {
  const source = field(request.arguments, 'source');
  return field(source, 'path') ?? field(source, 'sourceReference') ?? field(source, 'name');
}
