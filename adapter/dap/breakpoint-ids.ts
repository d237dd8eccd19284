/** Numbers of breakpoints in a debugger that took another's place: the client goes on using those that it knows. */
import { field, isRaw, type Raw } from './message.ts';

const settingCommands = new Set<unknown>([
  'setBreakpoints',
  'setFunctionBreakpoints',
  'setExceptionBreakpoints',
  'setInstructionBreakpoints',
  'setDataBreakpoints',
]);

/** Whether a request sets breakpoints of some kind, all of that kind (and source) at once. */
export function setsBreakpoints(command: unknown): boolean {
  return settingCommands.has(command);
}

export class BreakpointIds {
  readonly #toClient = new Map<number, number>();
  readonly #taken = new Set<number>();

  /** The debugger's breakpoint `own` is the one that the client knows as `known`. */
  same(own: number, known: number): void {
    this.#toClient.set(own, known);
    this.#taken.add(known);
  }

  /** The client uses this number, though it is not known yet for which of the debugger's breakpoints. */
  reserve(known: number): void {
    this.#taken.add(known);
  }

  /** A message with the client's numbers; most messages have none. */
  translate<T extends Raw>(message: T): T {
    const { body } = message;
    if (!isRaw(body)) return message;
    if (message.type === 'response' && setsBreakpoints(message.command) && Array.isArray(body.breakpoints)) {
      return { ...message, body: { ...body, breakpoints: body.breakpoints.map((one) => this.#renumber(one)) } };
    }
    if (message.event === 'breakpoint') {
      return { ...message, body: { ...body, breakpoint: this.#renumber(body.breakpoint) } };
    }
    if (message.event === 'stopped' && Array.isArray(body.hitBreakpointIds)) {
      return { ...message, body: { ...body, hitBreakpointIds: body.hitBreakpointIds.map((id) => this.#known(id)) } };
    }
    return message;
  }

  #renumber(breakpoint: unknown): unknown {
    const id = field(breakpoint, 'id');
    return isRaw(breakpoint) && id !== undefined ? { ...breakpoint, id: this.#known(id) } : breakpoint;
  }

  #known(id: unknown): unknown {
    if (typeof id !== 'number') return id;
    let known = this.#toClient.get(id);
    if (known === undefined) {
      for (known = id; this.#taken.has(known); ) known++;
      this.same(id, known);
    }
    return known;
  }
}
