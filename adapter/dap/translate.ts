/** Messages of the real debug adapter in the client's terms; most pass as they are. */
import { withoutOurs } from './capabilities.ts';
import { type Event, field, isRaw, type Raw, textOf } from './message.ts';
import type { Requests } from './requests.ts';

/** An event for the client. `requests` knows the client's numbers of its requests. */
export function translateEvent(event: Event, requests: Requests | undefined): Raw {
  const { body } = event;
  if (!isRaw(body)) return event;
  if (event.event === 'capabilities' && isRaw(body.capabilities)) {
    return { ...event, body: { ...body, capabilities: withoutOurs(body.capabilities) } };
  }
  if (event.event === 'progressStart' && body.requestId !== undefined) {
    const { requestId, ...rest } = body;
    const asked = requests?.askedAs(requestId);
    return { ...event, body: asked === undefined ? rest : { ...body, requestId: asked } };
  }
  return event;
}

/** The pid in a `process` event, if it is one of this computer, and whether the debugger started it. */
export function programOf(event: Event): { readonly pid: number; readonly started: boolean } | undefined {
  const pid = field(event.body, 'systemProcessId');
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1) return undefined;
  if (field(event.body, 'isLocalProcess') === false) return undefined;
  return { pid, started: field(event.body, 'startMethod') !== 'attach' };
}

/** What an error response says, for a client that can only be told by output. */
export function reasonIn(message: Raw): string {
  const format = field(field(message.body, 'error'), 'format');
  const variables = field(field(message.body, 'error'), 'variables');
  if (typeof format !== 'string') return textOf(message.message ?? 'The debugger refused to start.');
  return format.replace(/\{(\w+)\}/g, (whole, name: string) => textOf(field(variables, name) ?? whole));
}
